//! Every setting of a server with its default. `settings` gives each its one name for file, flag and environment, `sources`
//! merges the three, `value` reads durations, sizes and the like.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

mod addressee;
mod grants;
mod settings;
mod sources;
mod value;

pub use addressee::{Addressee, Names};
pub use grants::{Folder, Grants, Value, Variable};
pub(crate) use settings::SETTINGS;
pub use sources::{ConfigError, Sources};

/// All settings of a server. The names in files, flags and variables are those of the fields.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// The address to listen on; port 0 lets the system choose one.
    pub listen: SocketAddr,
    /// The folder whose `*.wasm` files are served.
    pub controllers: PathBuf,
    /// The folder of static files; none: none are served.
    pub public: Option<PathBuf>,
    /// The folder for compiled controllers; none: they are compiled at each start.
    pub cache: Option<PathBuf>,
    /// Origins whose pages may connect, beside pages of the request's own host; `*` is all.
    pub origins: Vec<String>,
    /// How long a request's head may take to arrive, and an idle HTTP connection to send its next one.
    pub handshake_timeout: Duration,
    /// A WebSocket from which nothing was heard for so long is pinged.
    pub ping_interval: Duration,
    /// A WebSocket from which nothing was heard for so long, not even a pong, is given up.
    pub idle_timeout: Duration,
    /// How long a client may take to answer a close, and what is queued for it to be taken.
    pub close_timeout: Duration,
    /// Over how long the closes of a stopping server are spread.
    pub drain_time: Duration,
    /// Client connections open at a time, HTTP and WebSocket together.
    pub max_connections: usize,
    /// The longest message from a client, in bytes.
    pub max_message: usize,
    /// The longest frame from a client, in bytes; `max_message` if that is less.
    pub max_frame: usize,
    /// How many bytes may wait for one client, at least `max_message`. At more the client is closed as too slow.
    pub outbox: usize,
    /// The longest arguments of an event, in bytes.
    pub max_event: usize,
    /// Topics that one connection may be subscribed to.
    pub max_topics: usize,
    /// The read buffer of each WebSocket, in bytes: more costs memory, less costs system calls.
    pub read_buffer: usize,
    /// The Redis that makes many servers one; none: this server is the whole application.
    pub redis: Option<String>,
    /// What every key and channel in Redis begins with: servers with the same one are one application.
    pub redis_prefix: String,
    /// Events that a stream in Redis keeps at least, for servers that have lost their connection.
    pub redis_window: usize,
    /// How many bytes of events may wait while Redis is away; beyond them controllers are told that it is.
    pub redis_backlog: usize,
    /// The folder for what a server without Redis keeps: identities and their mailboxes; none: in memory.
    pub data: Option<PathBuf>,
    /// Identities that one connection may be registered as.
    pub max_identities: usize,
    /// Notifications that one mailbox holds.
    pub mailbox_entries: u32,
    /// How many bytes of notifications one mailbox holds.
    pub mailbox_size: usize,
    /// Lifetimes of identities that are shorter are raised to this. No file, flag or variable sets it: shorter ones than the
    /// contract names are for tests.
    pub shortest_lifetime: Duration,
    /// Instances for connections alive at a time, of all controllers together.
    pub max_instances: u32,
    /// Plain HTTP requests that controllers answer at a time.
    pub max_requests: u32,
    /// Limits of each controller that has none of its own.
    pub guest: GuestLimits,
    /// Whom each controller may address, beside what is its own, unless it has a list of its own.
    pub messaging: Vec<Addressee>,
    /// Settings of single controllers, by name.
    pub overrides: BTreeMap<String, ControllerConfig>,
}

/// What one controller may use.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GuestLimits {
    /// Connections that share one instance; 1 gives every connection a sandbox of its own.
    pub connections_per_instance: usize,
    /// Memory of one instance, in bytes.
    pub memory: usize,
    /// CPU time of one call: one message, one event for one connection.
    pub cpu_time: Duration,
    /// Wall-clock time of one call.
    pub call_time: Duration,
    /// How long all connections of an instance have to be idle until their objects are saved and its memory is given back,
    /// if its class can be resumed.
    pub hibernate_after: Duration,
    /// The largest saved state of one connection, in bytes.
    pub max_state: usize,
    /// Timers of one connection.
    pub max_timers: usize,
    /// What its bucket of keys and values may hold, in bytes.
    pub max_bucket: usize,
    /// WebSockets that it has open to other servers, those that are being tried included.
    pub max_outward: usize,
}

/// Settings of one controller; none: as for all controllers.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ControllerConfig {
    /// The path pattern to mount it on, instead of its own.
    pub path: Option<String>,
    /// Instead of [`Config::origins`].
    pub origins: Option<Vec<String>>,
    /// Instead of [`GuestLimits::connections_per_instance`].
    pub connections_per_instance: Option<usize>,
    /// Instead of [`GuestLimits::memory`].
    pub memory: Option<usize>,
    /// Instead of [`GuestLimits::cpu_time`].
    pub cpu_time: Option<Duration>,
    /// Instead of [`GuestLimits::call_time`].
    pub call_time: Option<Duration>,
    /// Instead of [`GuestLimits::hibernate_after`].
    pub hibernate_after: Option<Duration>,
    /// Instead of [`GuestLimits::max_state`].
    pub max_state: Option<usize>,
    /// Instead of [`GuestLimits::max_timers`].
    pub max_timers: Option<usize>,
    /// Instead of [`GuestLimits::max_bucket`].
    pub max_bucket: Option<usize>,
    /// Instead of [`GuestLimits::max_outward`].
    pub max_outward: Option<usize>,
    /// Whether it runs as a service, one object a server without a client, instead of what the component says itself.
    pub service: Option<bool>,
    /// What it may ask of the host.
    pub grants: Grants,
}

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 8000)),
            controllers: "controllers".into(),
            public: None,
            cache: None,
            origins: Vec::new(),
            handshake_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(25),
            idle_timeout: Duration::from_secs(60),
            close_timeout: Duration::from_secs(5),
            drain_time: Duration::from_secs(5),
            max_connections: 100_000,
            max_message: MIB,
            max_frame: MIB,
            outbox: MIB,
            max_event: 256 * KIB,
            max_topics: 128,
            read_buffer: 4 * KIB,
            redis: None,
            redis_prefix: "lakou".into(),
            redis_window: 16 * 1024,
            redis_backlog: 16 * MIB,
            data: None,
            max_identities: 8,
            mailbox_entries: 1_000,
            mailbox_size: MIB,
            shortest_lifetime: Duration::from_secs(10 * 60),
            max_instances: 1_000,
            max_requests: 256,
            guest: GuestLimits::default(),
            messaging: Vec::new(),
            overrides: BTreeMap::new(),
        }
    }
}

impl Default for GuestLimits {
    fn default() -> Self {
        GuestLimits {
            connections_per_instance: 256,
            memory: 64 * MIB,
            cpu_time: Duration::from_millis(100),
            call_time: Duration::from_secs(5),
            hibernate_after: Duration::from_secs(10 * 60),
            max_state: 64 * KIB,
            max_timers: 64,
            max_bucket: 64 * MIB,
            max_outward: 64,
        }
    }
}

impl Config {
    /// Whether the settings fit together. Settings that are read one by one are checked one by one before.
    ///
    /// # Errors
    ///
    /// The first that does not, with what is allowed.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.idle_timeout <= self.ping_interval {
            return Err(ConfigError::Together(format!(
                "idle-timeout ({:?}) must be longer than ping-interval ({:?}): a client is pinged before it is given up",
                self.idle_timeout, self.ping_interval
            )));
        }
        Ok(())
    }

    /// What may wait for one client: any message that a client may send can be echoed to it.
    pub(crate) fn outbox_limit(&self) -> usize {
        self.outbox.max(self.max_message)
    }

    /// The most bytes that a guest has reason to hand over in one call.
    pub(crate) fn largest_handover(&self) -> usize {
        self.outbox_limit().max(self.max_event)
    }

    /// The longest that a call into any controller may take.
    pub(crate) fn largest_call_time(&self) -> Duration {
        self.overrides.values().filter_map(|controller| controller.call_time).fold(self.guest.call_time, Duration::max)
    }

    /// The largest memory that any controller may have.
    pub(crate) fn largest_memory(&self) -> usize {
        self.overrides.values().filter_map(|controller| controller.memory).fold(self.guest.memory, usize::max)
    }
}

impl GuestLimits {
    /// The limits of one controller.
    pub(crate) fn with(&self, overrides: &ControllerConfig) -> GuestLimits {
        GuestLimits {
            connections_per_instance: overrides
                .connections_per_instance
                .unwrap_or(self.connections_per_instance)
                .max(1),
            memory: overrides.memory.unwrap_or(self.memory),
            cpu_time: overrides.cpu_time.unwrap_or(self.cpu_time),
            call_time: overrides.call_time.unwrap_or(self.call_time),
            hibernate_after: overrides.hibernate_after.unwrap_or(self.hibernate_after),
            max_state: overrides.max_state.unwrap_or(self.max_state),
            max_timers: overrides.max_timers.unwrap_or(self.max_timers),
            max_bucket: overrides.max_bucket.unwrap_or(self.max_bucket),
            max_outward: overrides.max_outward.unwrap_or(self.max_outward),
        }
    }
}
