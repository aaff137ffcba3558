//! Stores to test with, each empty and gone when it is dropped, and the words that scenarios are written in.

use std::any::Any;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use crate::ids::{ConnectionId, ServerId};
use crate::link::{Address, Link};
use crate::message::{Event, SharedEvent};
use crate::store::keyvalue::KeyValue;
use crate::store::{
    Bounds, Embedded, Identity, Notification, NotificationId, Notified, Owner, Redis, Registered, Store, Terms, Waiting,
};

pub(in crate::store) const BOUNDS: Bounds = Bounds { entries: 50, bytes: 8 * 1024, attempts: 3 };

/// Longer than any test.
pub(in crate::store) const LONG: Duration = Duration::from_secs(600);

/// A store, and what it lives on.
pub(in crate::store) struct Lab {
    pub(in crate::store) store: Arc<dyn Store>,
    pub(in crate::store) values: Arc<dyn KeyValue>,
    _ground: Box<dyn Any>,
}

pub(in crate::store) async fn in_memory() -> Lab {
    let store = Arc::new(Embedded::open(None, BOUNDS).expect("memory"));
    Lab { values: store.clone(), store, _ground: Box::new(()) }
}

pub(in crate::store) async fn on_disk() -> Lab {
    let folder = Folder::new();
    let store = Arc::new(Embedded::open(Some(folder.path()), BOUNDS).expect("a file"));
    Lab { values: store.clone(), store, _ground: Box::new(folder) }
}

pub(in crate::store) async fn on_redis() -> Lab {
    let server = RedisServer::start();
    let link = Link::new(Address::parse(&server.url()).expect("a URL"));
    let store = Arc::new(Redis::new(link, "lakou", BOUNDS));
    Lab { values: store.clone(), store, _ground: Box::new(server) }
}

impl Lab {
    pub(in crate::store) async fn register(&self, name: &str, connection: ConnectionId, most: u32) -> Registered {
        self.register_for(name, connection, most, LONG).await
    }

    pub(in crate::store) async fn register_for(
        &self,
        name: &str,
        connection: ConnectionId,
        max_connections: u32,
        lifetime: Duration,
    ) -> Registered {
        self.store.register(&identity(name), connection, terms(lifetime, max_connections)).await.expect("an answer")
    }

    pub(in crate::store) async fn unregister(&self, name: &str, connection: ConnectionId) {
        self.store.unregister(&identity(name), connection).await.expect("an answer");
    }

    pub(in crate::store) async fn registered(&self, name: &str) -> bool {
        self.store.registered(&identity(name)).await.expect("an answer")
    }

    pub(in crate::store) async fn notify(&self, name: &str, args: &str) -> Option<Notified> {
        self.store.notify(&identity(name), &event(args)).await.expect("an answer")
    }

    /// Notifies somebody who is known.
    pub(in crate::store) async fn tell(&self, name: &str, args: &str) -> NotificationId {
        self.notify(name, args).await.expect("a known identity").id
    }

    pub(in crate::store) async fn holders(&self, name: &str) -> Vec<ConnectionId> {
        self.notify(name, "who").await.expect("a known identity").holders
    }

    /// What waits for a holder.
    pub(in crate::store) async fn entries(&self, name: &str, connection: ConnectionId) -> Vec<Notification> {
        match self.store.waiting(&identity(name), connection, 1000).await.expect("an answer") {
            Waiting::Entries(entries) => entries,
            Waiting::NotHolder => panic!("{connection} is no holder of {name}"),
        }
    }

    /// The arguments of what waits for a holder.
    pub(in crate::store) async fn waiting(&self, name: &str, connection: ConnectionId) -> Vec<String> {
        self.entries(name, connection).await.into_iter().map(|entry| entry.event.args.clone()).collect()
    }

    pub(in crate::store) async fn is_holder(&self, name: &str, connection: ConnectionId) -> bool {
        self.store.waiting(&identity(name), connection, 1).await.expect("an answer") != Waiting::NotHolder
    }

    pub(in crate::store) async fn handled(&self, name: &str, connection: ConnectionId, upto: NotificationId) -> bool {
        self.store.handled(&identity(name), connection, upto).await.expect("an answer")
    }

    /// Waits until the identity has lapsed.
    pub(in crate::store) async fn lapse(&self, name: &str) {
        let mut pace = tokio::time::interval(Duration::from_millis(10));
        for _ in 0..1000 {
            pace.tick().await;
            if !self.registered(name).await {
                return;
            }
        }
        panic!("{name} does not lapse");
    }
}

/// Who pays, with room for anything.
pub(in crate::store) fn owner() -> Owner {
    Owner { name: "mine".into(), limit: u64::MAX >> 12 }
}

pub(in crate::store) fn terms(lifetime: Duration, max_connections: u32) -> Terms {
    Terms { owner: owner(), lifetime, max_connections }
}

pub(in crate::store) fn identity(name: &str) -> Identity {
    Identity::new(name).expect("an identity")
}

pub(in crate::store) fn connection() -> ConnectionId {
    ConnectionId::random(ServerId::random())
}

pub(in crate::store) fn event(args: &str) -> SharedEvent {
    Arc::new(Event { name: "said".into(), args: args.into() })
}

/// A folder of its own, removed at the end.
pub(in crate::store) struct Folder(PathBuf);

impl Folder {
    pub(in crate::store) fn new() -> Self {
        let name = format!("lakou-store-{}", ServerId::random());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).expect("a new folder");
        Folder(folder)
    }

    pub(in crate::store) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A Redis that keeps nothing, on a port of its own.
pub(in crate::store) struct RedisServer {
    process: Child,
    port: u16,
    _folder: Folder,
}

impl RedisServer {
    pub(in crate::store) fn start() -> Self {
        // Between finding a free port and taking it somebody else may take it.
        (0..10).find_map(|_| RedisServer::try_start(&[])).expect("a free port for redis-server")
    }

    /// With more arguments of `redis-server`.
    pub(in crate::store) fn with(arguments: &[&str]) -> Self {
        (0..10).find_map(|_| RedisServer::try_start(arguments)).expect("a free port for redis-server")
    }

    /// A Cluster of one server, which has all slots and is as strict about them as any.
    pub(in crate::store) fn start_cluster() -> Self {
        let start = || {
            let bus = free_port().port().to_string();
            RedisServer::try_start(&["--cluster-enabled", "yes", "--cluster-port", &bus])
        };
        let server = (0..10).find_map(|_| start()).expect("a free port for redis-server");
        assert_eq!(server.cli(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]), "OK");
        while !server.cli(&["CLUSTER", "INFO"]).contains("cluster_state:ok") {}
        server
    }

    fn try_start(more: &[&str]) -> Option<Self> {
        let folder = Folder::new();
        let free = free_port();
        let mut command = Command::new("redis-server");
        command.args(["--port", &free.port().to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.args(more);
        command.arg("--dir").arg(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("redis-server, version 7 or later, must be installed for this test");
        let mut server = RedisServer { process, port: free.port(), _folder: folder };
        for _ in 0..1000 {
            if server.process.try_wait().ok().flatten().is_some() {
                return None;
            }
            let said = server.cli(&["PING"]);
            if said == "PONG" || said.contains("NOAUTH") {
                return Some(server);
            }
        }
        panic!("redis-server does not answer");
    }

    pub(in crate::store) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// What `redis-cli` prints for a command.
    pub(in crate::store) fn cli(&self, command: &[&str]) -> String {
        let output = Command::new("redis-cli").args(["-p", &self.port.to_string()]).args(command).output();
        let output = output.expect("redis-cli must be installed for this test");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
