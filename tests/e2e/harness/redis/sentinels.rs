//! A master, a replica, and three sentinels that make the replica the master when the master is lost.

use super::{RedisServer, offset};
use crate::harness::wait::until;
use futures_util::future::join_all;
use std::net::SocketAddr;
use std::time::Duration;

const NAME: &str = "mymaster";

/// A second without an answer makes a master lost; elections take some seconds more.
const FAILOVER: Duration = Duration::from_secs(30);

pub(crate) struct Sentinels {
    sentinels: Vec<RedisServer>,
    nodes: Vec<RedisServer>,
    master: usize,
}

impl Sentinels {
    pub(crate) async fn start() -> Self {
        // A replica asks for its data at once; the master would wait five seconds for more of them.
        let at_once = ["--repl-diskless-sync-delay", "0"];
        let master = RedisServer::with(&at_once).await;
        let leader = format!("{} {}", master.address.ip(), master.address.port());
        let replica = RedisServer::with(&[at_once.as_slice(), &["--replicaof", &leader]].concat()).await;
        until(FAILOVER, "the replica follows", async || {
            replica.cli(&["INFO", "replication"]).await.contains("master_link_status:up")
        })
        .await;
        let settings = format!(
            "sentinel monitor {NAME} {leader} 2\n\
             sentinel down-after-milliseconds {NAME} 1000\n\
             sentinel failover-timeout {NAME} 3000\n"
        );
        let sentinels = join_all((0..3).map(|_| RedisServer::sentinel(&settings))).await;
        for sentinel in &sentinels {
            // They find each other within a moment, and do not stand back for half a minute where the machine is slow.
            let quick = ["SENTINEL", "DEBUG", "PUBLISH-PERIOD", "200", "INFO-PERIOD", "500", "TILT-PERIOD", "1000"];
            assert_eq!(sentinel.cli(&quick).await, "OK");
        }
        let started = Sentinels { sentinels, nodes: vec![master, replica], master: 0 };
        until(FAILOVER, "the sentinels know each other and the replica", async || {
            let told = join_all(started.sentinels.iter().map(|sentinel| sentinel.cli(&["INFO", "sentinel"]))).await;
            told.iter().all(|info| info.contains("status=ok") && info.contains("slaves=1,sentinels=3"))
        })
        .await;
        started
    }

    /// The setting `redis` of a host.
    pub(crate) fn url(&self) -> String {
        let addresses: Vec<_> = self.sentinels.iter().map(|sentinel| sentinel.address.to_string()).collect();
        format!("redis+sentinel://{}/{NAME}", addresses.join(","))
    }

    /// Where the master is, or was before it was killed.
    pub(crate) fn master(&self) -> SocketAddr {
        self.nodes[self.master].address
    }

    /// What the real redis-cli prints for a command at the master.
    pub(crate) async fn cli(&self, arguments: &[&str]) -> String {
        self.nodes[self.master].cli(arguments).await
    }

    /// Waits until the replica has all that the master has been told so far. What it does not have is lost with the master.
    pub(crate) async fn replicated(&self) {
        let (master, replica) = (&self.nodes[self.master], &self.nodes[1 - self.master]);
        let wanted = offset(&master.cli(&["INFO", "replication"]).await, "master_repl_offset:");
        until(FAILOVER, "the replica has all", async || {
            offset(&replica.cli(&["INFO", "replication"]).await, "slave_repl_offset:") >= wanted
        })
        .await;
    }

    /// Ends the master as a crash does.
    pub(crate) fn kill_master(&mut self) {
        self.nodes[self.master].kill();
    }

    /// Waits until every sentinel names the other node, which takes itself for the master.
    pub(crate) async fn failed_over(&mut self) -> SocketAddr {
        let other = 1 - self.master;
        let node = &self.nodes[other];
        let named = format!("{}\n{}", node.address.ip(), node.address.port());
        until(FAILOVER, "the sentinels name another master", async || {
            let ask = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME];
            let told = join_all(self.sentinels.iter().map(|sentinel| sentinel.cli(&ask))).await;
            told.iter().all(|address| *address == named) && node.cli(&["ROLE"]).await.starts_with("master")
        })
        .await;
        self.master = other;
        self.master()
    }

    /// Brings the node back that is not the master, and waits until it follows the master.
    pub(crate) async fn restore(&mut self) {
        let follower = &mut self.nodes[1 - self.master];
        follower.restart().await;
        until(FAILOVER, "the node that was lost follows", async || {
            follower.cli(&["INFO", "replication"]).await.contains("master_link_status:up")
        })
        .await;
    }
}
