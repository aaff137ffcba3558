//! A host in this process, on a port of its own, with a folder of controllers of its own.

use super::folder::{Folder, shared_cache};
use super::guests;
use super::http::Ask;
use super::raw::RawClient;
use super::redis::RedisServer;
use super::wait::{eventually, within};
use super::ws::{Knock, WsClient};
use lakou_host::{Addressee, BusHealth, BusMonitor, Config, Metrics, Server, Snapshot};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running host. Dropping it ends it at once; [`TestHost::stop`] ends it in good order.
pub(crate) struct TestHost {
    pub(crate) address: SocketAddr,
    /// One line a mounted controller.
    pub(crate) mounts: Vec<String>,
    /// One line a file that was not mounted.
    pub(crate) rejected: Vec<String>,
    metrics: Arc<Metrics>,
    bus: BusMonitor,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<()>>,
    // The host has threads of its own, as in production: a guest that computes takes none from the clients.
    runtime: Option<Runtime>,
    folder: Folder,
    _kept: Option<Arc<RedisServer>>,
}

/// A host that is being furnished.
pub(crate) struct Furnished {
    config: Config,
    folder: Folder,
    kept: Option<Arc<RedisServer>>,
}

impl TestHost {
    /// A host that serves the guests `names`.
    pub(crate) async fn with(names: &[&str]) -> TestHost {
        TestHost::serving(names).start().await
    }

    /// A host that will serve the guests `names`.
    pub(crate) fn serving(names: &[&str]) -> Furnished {
        let mut furnished = TestHost::bare();
        for name in names {
            furnished = furnished.file(&format!("{name}.wasm"), guests::wasm(name));
        }
        furnished
    }

    /// A host with an empty folder of controllers.
    pub(crate) fn bare() -> Furnished {
        let folder = Folder::new();
        let mut config = Config::default();
        config.listen = SocketAddr::from(([127, 0, 0, 1], 0)).into();
        config.controllers = folder.join("controllers");
        config.cache = Some(shared_cache());
        // Who may address whom has scenarios of its own; in all others guests may address everybody.
        config.messaging = vec![Addressee::Everything];
        std::fs::create_dir(&config.controllers).expect("the test's own folder");
        Furnished { config, folder, kept: None }
    }

    /// Where the folder of static files is, if there is one.
    pub(crate) fn public(&self) -> PathBuf {
        self.folder.join("public")
    }

    /// A polite client on `path`.
    pub(crate) async fn connect(&self, path: &str) -> WsClient {
        self.knock(path).open().await
    }

    /// A handshake on `path`, to be dressed with headers.
    pub(crate) fn knock(&self, path: &str) -> Knock {
        Knock::new(self.address, path)
    }

    /// A client that writes bytes by hand, before any handshake.
    pub(crate) async fn dial(&self) -> RawClient {
        RawClient::dial(self.address).await
    }

    /// As [`dial`](Self::dial), after a handshake on `path`.
    pub(crate) async fn raw(&self, path: &str) -> RawClient {
        let mut client = self.dial().await;
        client.upgrade(path).await;
        client
    }

    /// A plain request.
    pub(crate) fn ask(&self, method: &str, target: &str) -> Ask {
        Ask::new(self.address, method, target)
    }

    /// What the host has counted.
    pub(crate) fn counted(&self) -> Snapshot {
        self.metrics.snapshot()
    }

    /// How the host's bus is.
    pub(crate) fn bus_health(&self) -> BusHealth {
        self.bus.health()
    }

    /// Waits until the host has noticed that it is cut off from others.
    pub(crate) async fn is_degraded(&self) {
        eventually("the host is degraded", || !self.bus_health().connected).await;
    }

    /// Waits until the host works with others again, and nothing waits for them.
    pub(crate) async fn is_connected(&self) {
        let health = || self.bus_health();
        eventually("the host is connected", || health().connected && health().backlog_events == 0).await;
    }

    /// Waits until what the host has counted satisfies `condition`.
    pub(crate) async fn counts(&self, what: &str, condition: impl Fn(&Snapshot) -> bool) {
        eventually(what, || condition(&self.counted())).await;
    }

    /// Tells the host to stop, and returns at once; it drains meanwhile.
    pub(crate) fn begin_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).expect("the host still listens for its stop");
        }
    }

    /// Waits until a host that was told to stop has drained.
    pub(crate) async fn stopped(&mut self) {
        let served = self.served.take().expect("a host stops once");
        within("the host drains", served).await.expect("the host does not panic");
    }

    /// Stops the host in good order.
    pub(crate) async fn stop(mut self) {
        self.begin_stop();
        self.stopped().await;
    }
}

impl Drop for TestHost {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting is not allowed here, where other tasks may run; connections end when their tasks do.
            runtime.shutdown_background();
        }
    }
}

impl Furnished {
    /// Puts a file into the folder of controllers.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.config.controllers.join(name), content).expect("the test's own folder");
        self
    }

    /// Puts a folder into the folder of controllers.
    pub(crate) fn folder(self, name: &str) -> Self {
        std::fs::create_dir(self.config.controllers.join(name)).expect("the test's own folder");
        self
    }

    /// Puts a named pipe into the folder of controllers, which nobody writes to.
    pub(crate) fn pipe(self, name: &str) -> Self {
        let made = Command::new("mkfifo").arg(self.config.controllers.join(name)).status();
        assert!(made.expect("every Unix has mkfifo").success(), "the test's own folder");
        self
    }

    /// Serves static files, each a path and a content.
    pub(crate) fn public(mut self, files: &[(&str, &str)]) -> Self {
        for (name, content) in files {
            self.folder.write(&format!("public/{name}"), content);
        }
        self.config.public = Some(self.folder.join("public"));
        self
    }

    /// Does something to the folder of static files before it is served.
    pub(crate) fn in_public(self, furnish: impl FnOnce(&Path)) -> Self {
        furnish(&self.folder.join("public"));
        self
    }

    /// Changes settings.
    pub(crate) fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Joins other hosts over a Redis.
    pub(crate) fn redis(self, url: &str) -> Self {
        self.config(|config| config.redis = Some(url.to_owned()))
    }

    /// With a server that must not end before the host does.
    pub(crate) fn keeping(mut self, server: Arc<RedisServer>) -> Self {
        self.kept = Some(server);
        self
    }

    /// Keeps its data in a folder of its own.
    pub(crate) fn data(mut self) -> Self {
        self.config.data = Some(self.folder.join("data"));
        self
    }

    /// With an outbox of `bytes`; messages have to be smaller for that, because every one must fit into it.
    pub(crate) fn outbox(self, bytes: usize) -> Self {
        self.config(|config| (config.outbox, config.max_message, config.max_frame) = (bytes, bytes, bytes))
    }

    /// Starts the host, which must be able to.
    pub(crate) async fn start(self) -> TestHost {
        match self.try_start().await {
            Ok(host) => host,
            Err(error) => panic!("the host does not start: {error}"),
        }
    }

    /// Starts the host, or says why it does not start.
    pub(crate) async fn try_start(self) -> Result<TestHost, String> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("threads can be started");
        let config = self.config;
        let bound = runtime.spawn(Server::bind(config)).await.expect("binding does not panic");
        let server = match bound {
            Ok(server) => server,
            Err(error) => {
                runtime.shutdown_background();
                return Err(error.to_string());
            }
        };
        let (stop, stopped) = oneshot::channel();
        let (address, metrics, bus) = (server.address(), server.metrics(), server.bus_monitor());
        let mounts = server.mounts().iter().map(ToString::to_string).collect();
        let rejected = server.rejected().iter().map(ToString::to_string).collect();
        let served = runtime.spawn(server.run(async {
            // A sender that is dropped stops the host too.
            stopped.await.ok();
        }));
        Ok(TestHost {
            address,
            mounts,
            rejected,
            metrics,
            bus,
            stop: Some(stop),
            served: Some(served),
            runtime: Some(runtime),
            folder: self.folder,
            _kept: self.kept,
        })
    }
}
