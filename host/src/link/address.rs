//! Where Redis is: the URL of one server, of the sentinels that name a master, or of some nodes of a cluster.

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo};

use super::Node;

/// What a wrong URL is answered with. The URL itself is not shown: it may hold a password.
const WANTED: &str = "a URL is wanted, like redis://[user:password@]host[:port][/database], \
    redis+sentinel://host:port,host:port/MASTER[/database] or redis+cluster://host:port,host:port; rediss for TLS";

/// A Redis, as the operator has given it.
#[derive(Debug)]
pub(crate) struct Address {
    pub(super) topology: Topology,
    pub(super) seeds: Vec<Node>,
    settings: RedisConnectionInfo,
    tls: bool,
}

/// What the seeds of an address are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Topology {
    /// The one server.
    One,
    /// Sentinels that know which server is the master of this name.
    Sentinel { master: String },
    /// Nodes of a cluster.
    Cluster,
}

impl Address {
    /// Understands a URL.
    ///
    /// # Errors
    ///
    /// What is wanted, on one line.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| format!("is not a URL; {WANTED}"))?;
        let tls = scheme.starts_with("rediss");
        let (scheme, path_of_master) = match scheme {
            "redis" | "rediss" => (Topology::One, false),
            "redis+cluster" | "rediss+cluster" => (Topology::Cluster, false),
            "redis+sentinel" | "rediss+sentinel" => (Topology::Sentinel { master: String::new() }, true),
            other => return Err(format!("has the scheme {other:?}; {WANTED}")),
        };
        let (credentials, rest) = rest.rsplit_once('@').map_or((None, rest), |(before, rest)| (Some(before), rest));
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (topology, database) = if path_of_master {
            let (master, database) = path.split_once('/').unwrap_or((path, ""));
            if master.is_empty() {
                return Err(format!("names no master; {WANTED}"));
            }
            (Topology::Sentinel { master: master.to_owned() }, database)
        } else {
            (scheme, path)
        };
        if path.contains(['?', '#']) {
            return Err(format!("has options behind the database; {WANTED}"));
        }
        if topology == Topology::Cluster && !matches!(database, "" | "0") {
            return Err("has a database; a cluster has only database 0".into());
        }
        if topology == Topology::One && hosts.contains(',') {
            return Err(format!("has several hosts; {WANTED}"));
        }
        let default_port = if path_of_master { 26379 } else { 6379 };
        let mut seeds = Vec::new();
        let mut settings = RedisConnectionInfo::default();
        for host in hosts.split(',') {
            let credentials = credentials.map(|credentials| format!("{credentials}@")).unwrap_or_default();
            let with_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
            let port = if with_port { String::new() } else { format!(":{default_port}") };
            let info = format!("redis://{credentials}{host}{port}/{database}")
                .into_connection_info()
                .map_err(|_| format!("has a part that is not understood; {WANTED}"))?;
            let ConnectionAddr::Tcp(host, port) = info.addr().clone() else {
                return Err(format!("has no host; {WANTED}"));
            };
            settings = info.redis_settings().clone();
            seeds.push(Node { host, port });
        }
        Ok(Address { topology, seeds, settings, tls })
    }

    /// The number of the database; pub/sub channels do not know it by themselves.
    pub(crate) fn database(&self) -> i64 {
        self.settings.db()
    }

    /// Whether keys are spread over several nodes.
    pub(super) fn is_cluster(&self) -> bool {
        self.topology == Topology::Cluster
    }

    pub(super) fn uses_tls(&self) -> bool {
        self.tls
    }

    /// How to connect to a node that holds data.
    pub(super) fn of(&self, node: &Node) -> ConnectionInfo {
        self.to(node).set_redis_settings(self.settings.clone())
    }

    /// How to connect to a sentinel: most have no password, and those that have one mostly have the same.
    pub(super) fn of_sentinel(&self, node: &Node, with_password: bool) -> ConnectionInfo {
        let settings = if with_password { self.settings.clone().set_db(0) } else { RedisConnectionInfo::default() };
        self.to(node).set_redis_settings(settings)
    }

    fn to(&self, node: &Node) -> ConnectionInfo {
        let Node { host, port } = node.clone();
        let address = if self.tls {
            ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        let info = address.into_connection_info().expect("an address is always understood");
        let tcp = info.tcp_settings().clone().set_nodelay(true);
        info.set_tcp_settings(tcp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(host: &str, port: u16) -> Node {
        Node { host: host.into(), port }
    }

    #[test]
    fn one_server() {
        let address = Address::parse("redis://localhost").expect("a URL");
        assert_eq!((address.topology, address.seeds), (Topology::One, vec![node("localhost", 6379)]));
        let address = Address::parse("rediss://me:p%40ss@redis.example.org:7000/3").expect("a URL");
        assert_eq!(address.settings.password(), Some("p@ss"));
        assert_eq!((address.database(), address.tls), (3, true));
        assert_eq!(address.seeds, [node("redis.example.org", 7000)]);
        let address = Address::parse("redis://[::1]:7000").expect("a URL");
        assert_eq!(address.seeds, [node("::1", 7000)]);
    }

    #[test]
    fn sentinels_and_nodes() {
        let address = Address::parse("redis+sentinel://:pw@a,b:26380/mymaster/2").expect("a URL");
        assert_eq!(address.topology, Topology::Sentinel { master: "mymaster".into() });
        assert_eq!(address.seeds, [node("a", 26379), node("b", 26380)]);
        assert_eq!((address.settings.password(), address.database()), (Some("pw"), 2));
        let address = Address::parse("rediss+cluster://a:7000,b:7001").expect("a URL");
        assert_eq!((address.is_cluster(), address.seeds.len()), (true, 2));
    }

    #[test]
    fn what_is_no_address_is_told_without_its_password() {
        for url in [
            "",
            "localhost:6379",
            "http://:secret@localhost",
            "redis://:secret@",
            "redis://:secret@localhost:port",
            "redis://:secret@localhost/first",
            "redis://:secret@a,b",
            "redis+sentinel://:secret@a",
            "redis+cluster://:secret@a/3",
        ] {
            let wrong = Address::parse(url).expect_err(url);
            assert!(!wrong.contains("secret") && !wrong.contains('\n'), "{wrong}");
        }
    }
}
