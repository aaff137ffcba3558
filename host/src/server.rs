//! One server from its start to its end: load the controllers, open the listener, accept until told to stop, drain.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use self::accept::Door;
use self::file_limit::Places;
use crate::bus::{BusHealth, BusMonitor};
use crate::clients::Clients;
use crate::config::{Config, ConfigError};
use crate::controller::{Class, Environment, LoadError, Mount, load_folder};
use crate::http::{Files, Service};
use crate::identities;
use crate::link::{Address, Link};
use crate::metrics::Metrics;
use crate::outward;
use crate::router::Router;
use crate::service;
use crate::shutdown::{self, Last};
use crate::store::keyvalue::KeyValue;
use crate::store::{self, Store};

mod accept;
mod file_limit;
mod proxied;
mod serve;

/// A server that is ready to run.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    /// For how many clients at a time.
    places: Places,
    service: Arc<Service>,
    environment: Arc<Environment>,
    services: Vec<Arc<Class>>,
    last: Last,
    mounts: Vec<Mount>,
    rejected: Vec<LoadError>,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The folder of controllers can not be read.
    #[error("controllers: {folder}: {cause}; make the folder and put *.wasm files into it, or name another one")]
    Controllers {
        /// The folder.
        folder: String,
        /// Why not.
        cause: std::io::Error,
    },
    /// With `strict`, not every component can be served, or there is none. Each has a line in the log that says why.
    #[error("strict: {}", not_all(.folder, *.files, *.rejected))]
    Strict {
        /// The folder.
        folder: String,
        /// How many files it has.
        files: usize,
        /// How many of them can not be served.
        rejected: usize,
    },
    /// The static files can not be served as the settings say.
    #[error("{0}")]
    Public(String),
    /// The address can not be listened on.
    #[error("listen: {address}: {cause}")]
    Listen {
        /// The address.
        address: String,
        /// Why not.
        cause: std::io::Error,
    },
    /// The Redis that was named can not be worked with.
    #[error("redis: {0}")]
    Redis(String),
    /// The folder for identities and mailboxes can not be used.
    #[error("data: {0}")]
    Data(String),
    /// The wasm engine does not start.
    #[error("the wasm engine does not start: {0}")]
    Engine(String),
}

impl Server {
    /// Loads the controllers and opens the listener.
    ///
    /// # Errors
    ///
    /// Anything that keeps the whole server from starting; a bad controller file does not, it is in [`Server::rejected`].
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        config.check()?;
        let file_limit = file_limit::raise();
        let files = Files::open(&config).map_err(StartError::Public)?;
        let settings = Arc::new(config);
        let (alive, last) = shutdown::alive();
        let link = match settings.redis.as_deref().map(Address::parse) {
            None => None,
            Some(Ok(address)) => Some(Link::new(address)),
            Some(Err(wrong)) => return Err(StartError::Redis(wrong)),
        };
        let bounds = identities::bounds(&settings);
        // The same store twice, once for identities and once for keys and values.
        let (store, values): (Arc<dyn Store>, Arc<dyn KeyValue>) = match &link {
            Some(link) => {
                if settings.data.is_some() {
                    tracing::warn!(
                        "`data` is not used: with `redis` identities, mailboxes, keys and values are in Redis"
                    );
                }
                let redis = Arc::new(store::Redis::new(link.clone(), &settings.redis_prefix, bounds));
                (Arc::clone(&redis) as _, redis)
            }
            None => {
                let opened = store::Embedded::open(settings.data.as_deref(), bounds);
                let file = Arc::new(opened.map_err(|error| StartError::Data(error.to_string()))?);
                (Arc::clone(&file) as _, file)
            }
        };
        #[expect(clippy::disallowed_methods, reason = "`max-outward` bounds what a controller has in it")]
        let (dials, asked) = mpsc::unbounded_channel();
        let environment =
            Environment::start(Arc::clone(&settings), Arc::new(Metrics::default()), link, store, values, alive, dials)
                .map_err(|error| StartError::Engine(format!("{error:#}")))?;
        let environment = Arc::new(environment);
        #[expect(clippy::disallowed_methods, reason = "it ends with the last controller, which holds the queue")]
        tokio::spawn(outward::serve(asked));
        let (loaded, mut rejected) = load_folder(&environment)
            .await
            .map_err(|cause| StartError::Controllers { folder: settings.controllers.display().to_string(), cause })?;
        let is_there = |name: &String| {
            let of_its_file = |error: &LoadError| error.file.file_stem().is_some_and(|stem| stem == name.as_str());
            loaded.iter().any(|(_, mount)| mount.name == *name) || rejected.iter().any(of_its_file)
        };
        for name in settings.overrides.keys().filter(|name| !is_there(name)) {
            tracing::warn!("[controller.{name}] has settings, but there is no controller of this name");
        }
        let mut router = Router::new();
        let mut mounts = Vec::new();
        let mut services = Vec::new();
        for (class, mount) in loaded {
            let mounted = class.path.as_deref().map_or(Ok(()), |path| router.mount(path, Arc::clone(&class)));
            match mounted {
                Ok(()) => {
                    services.extend(class.service.then_some(class));
                    mounts.push(mount);
                }
                Err(error) => rejected.push(LoadError { file: mount.file, cause: error.to_string() }),
            }
        }
        if settings.strict && (mounts.is_empty() || !rejected.is_empty()) {
            for error in &rejected {
                tracing::error!("not served: {error}");
            }
            let folder = settings.controllers.display().to_string();
            let files = mounts.len() + rejected.len();
            return Err(StartError::Strict { folder, files, rejected: rejected.len() });
        }
        let notices = match &environment.redis {
            Some(redis) => {
                let controllers = mounts.iter().map(|mount| mount.name.as_str().into()).collect();
                Some(redis.join(controllers).await.map_err(|error| StartError::Redis(error.to_string()))?)
            }
            None => None,
        };
        environment.identities.start(notices);
        let listen = |cause| StartError::Listen { address: settings.listen.to_string(), cause };
        let listener = accept::listen(settings.listen.resolve().await.map_err(listen)?).map_err(listen)?;
        let places = file_limit::places(settings.max_connections, file_limit);
        Ok(Server {
            places,
            address: listener.local_addr().map_err(listen)?,
            listener,
            service: Arc::new(Service::new(router, files, Arc::clone(&environment))),
            environment,
            services,
            last,
            mounts,
            rejected,
        })
    }

    /// The address that is listened on, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The controllers that are served.
    pub fn mounts(&self) -> &[Mount] {
        &self.mounts
    }

    /// The files that are not, and why.
    pub fn rejected(&self) -> &[LoadError] {
        &self.rejected
    }

    /// Whether this server reaches the others, now.
    pub fn bus_health(&self) -> BusHealth {
        self.bus_monitor().health()
    }

    /// Who can tell that while the server runs.
    pub fn bus_monitor(&self) -> BusMonitor {
        BusMonitor(Arc::clone(&self.environment.bus))
    }

    /// The counters, which outlive the server.
    pub fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.environment.metrics)
    }

    /// Serves until `shutdown` resolves, then closes every connection within the drain time and returns.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) {
        let (stop, stopping) = watch::channel(false);
        let clients = Clients::new(Arc::clone(&self.environment.settings), self.metrics());
        for class in self.services.drain(..) {
            #[expect(
                clippy::disallowed_methods,
                reason = "it ends when the server stops, and is awaited through `alive`"
            )]
            tokio::spawn(service::run(class, stopping.clone()));
        }
        let door = Door::new(&self.service, &clients, self.places, self.environment.alive.clone(), stopping);
        tokio::select! {
            () = door.accept(&self.listener) => {}
            () = shutdown => {}
        }
        drop(door);
        // New clients are refused by the system from here on, and go to another server.
        drop(self.listener);
        tracing::info!("stopping: closing all connections within {:?}", self.environment.settings.drain_time);
        self.environment.stop();
        stop.send_replace(true);

        let settings = Arc::clone(&self.environment.settings);
        let (identities, redis) = (Arc::clone(&self.environment.identities), self.environment.redis.clone());
        // The environment holds an `alive` itself; what is still running holds the others.
        drop((self.service, self.environment));
        let patience = settings.drain_time + settings.close_timeout + settings.largest_call_time();
        if tokio::time::timeout(patience, self.last.gone()).await.is_err() {
            tracing::warn!("not everything has ended within {patience:?}; leaving it");
        }
        identities.close().await;
        if let Some(redis) = redis {
            redis.leave().await;
        }
    }
}

fn not_all(folder: &str, files: usize, rejected: usize) -> String {
    match files {
        0 => format!("{folder} has no *.wasm file"),
        _ => format!("{rejected} of {files} files in {folder} can not be served"),
    }
}
