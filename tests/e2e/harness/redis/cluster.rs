//! A cluster of three masters with a replica each, which takes its place when a master is lost.

use super::{RedisServer, offset};
use crate::harness::wait::{until, within_bound};
use futures_util::future::join_all;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A second without an answer makes a node lost; elections take some seconds more.
const FAILOVER: Duration = Duration::from_secs(30);

pub(crate) struct Cluster {
    nodes: Vec<RedisServer>,
}

impl Cluster {
    pub(crate) async fn start() -> Self {
        let settings =
            ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--repl-diskless-sync-delay", "0"];
        let nodes = join_all((0..6).map(|_| RedisServer::with(&settings))).await;
        let addresses: Vec<_> = nodes.iter().map(|node| node.address.to_string()).collect();
        let create = ["--cluster", "create"].into_iter().chain(addresses.iter().map(String::as_str));
        let create: Vec<_> = create.chain(["--cluster-replicas", "1", "--cluster-yes"]).collect();
        let created = within_bound(FAILOVER, "the cluster is made", nodes[0].door.try_run(&create)).await;
        if let Err(error) = created {
            panic!("the cluster is not made: {error}");
        }
        let mut cluster = Cluster { nodes };
        cluster.healthy().await;
        cluster
    }

    /// The setting `redis` of a host. It names two nodes; the others are to be found.
    pub(crate) fn url(&self) -> String {
        format!("redis+cluster://{},{}", self.nodes[0].address, self.nodes[1].address)
    }

    /// What the real redis-cli prints for a command, which it takes to the right node.
    pub(crate) async fn cli(&mut self, arguments: &[&str]) -> String {
        let node = self.nodes.iter_mut().find_map(|node| node.is_running().then_some(&*node));
        node.expect("not all are killed").cli(&[&["-c"], arguments].concat()).await
    }

    /// Ends the master that holds `key` as a crash does, and says which it was.
    pub(crate) async fn kill_master_of(&mut self, key: &str) -> SocketAddr {
        let slot = self.cli(&["CLUSTER", "KEYSLOT", key]).await.parse().expect("a number");
        let told = self.cli(&["CLUSTER", "NODES"]).await;
        let holder = owners(&told).find(|(_, slots)| slots.contains(&slot)).expect("a healthy cluster").0;
        let node = self.nodes.iter_mut().find(|node| node.address == holder).expect("it has no others");
        node.kill();
        holder
    }

    /// Waits until each replica has all that its master has been told so far. What it does not have is lost with the master.
    pub(crate) async fn replicated(&self) {
        let told = join_all(self.nodes.iter().map(|node| node.cli(&["INFO", "replication"]))).await;
        let masters: Vec<_> = self.nodes.iter().zip(&told).filter(|(_, info)| info.contains("role:master")).collect();
        until(FAILOVER, "the replicas have all", async || {
            let told = join_all(self.nodes.iter().map(|node| node.cli(&["INFO", "replication"]))).await;
            masters.iter().all(|(master, then)| {
                let port = format!("master_port:{}\r\n", master.address.port());
                let mut replicas = told.iter().filter(|info| info.contains(&port)).peekable();
                let wanted = offset(then, "master_repl_offset:");
                replicas.peek().is_some() && replicas.all(|info| offset(info, "slave_repl_offset:") >= wanted)
            })
        })
        .await;
    }

    /// Waits until all nodes that run agree that all slots are held by nodes that run, and replicas follow their masters.
    pub(crate) async fn healthy(&mut self) {
        until(FAILOVER, "the cluster is healthy", async || {
            let running: Vec<_> =
                self.nodes.iter_mut().filter_map(|node| node.is_running().then_some(&*node)).collect();
            let addresses: Vec<_> = running.iter().map(|node| node.address).collect();
            let healthy = join_all(running.iter().map(|node| sees_health(node, &addresses))).await;
            healthy.into_iter().all(|healthy| healthy)
        })
        .await;
    }
}

async fn sees_health(node: &RedisServer, running: &[SocketAddr]) -> bool {
    let info = node.cli(&["CLUSTER", "INFO"]).await;
    let table = node.cli(&["CLUSTER", "NODES"]).await;
    let replication = node.cli(&["INFO", "replication"]).await;
    let held: usize = owners(&table).filter(|(owner, _)| running.contains(owner)).map(|(_, slots)| slots.count()).sum();
    let follows = replication.contains("role:master") || replication.contains("master_link_status:up");
    info.contains("cluster_state:ok") && held == 16384 && follows
}

/// The ranges of slots in the answer to `CLUSTER NODES`, whose lines are: id, address, flags, master, ping, pong, epoch,
/// link, slots.
fn owners(table: &str) -> impl Iterator<Item = (SocketAddr, RangeInclusive<u16>)> {
    table.lines().flat_map(|line| {
        let mut words = line.split_whitespace();
        let address = words.nth(1).and_then(|word| word.split('@').next()?.parse().ok());
        words.skip(6).filter_map(move |range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            Some((address?, first.parse().ok()?..=last.parse().ok()?))
        })
    })
}
