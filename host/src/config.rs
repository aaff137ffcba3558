//! Every setting of a server with its default. `settings` gives each its one name for file, flag and environment, `sources`
//! merges the three, `value` reads durations, sizes and the like.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

mod addressee;
mod grants;
mod host;
mod limits;
mod listen;
mod nearest;
mod settings;
mod sources;
mod value;

pub use addressee::{Addressee, Names};
pub use grants::{Folder, Grants, Value, Variable};
pub use host::HostPattern;
pub use limits::GuestLimits;
pub(crate) use limits::Shares;
pub use listen::ListenAddress;
pub(crate) use settings::SETTINGS;
pub use sources::{ConfigError, Sources};

/// All settings of a server. The names in files, flags and variables are those of the fields.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// The address to listen on; port 0 lets the system choose one.
    pub listen: ListenAddress,
    /// The folder whose `*.wasm` files are served.
    pub controllers: PathBuf,
    /// Whether the server starts only if every component of the folder can be served, and there is one.
    pub strict: bool,
    /// The folder of static files; none: none are served.
    pub public: Option<PathBuf>,
    /// `cache-control` of static files; empty: none is sent, and clients guess.
    pub cache_control: String,
    /// The page of `public` that is sent with 404 where nothing is; none: a line of text.
    pub not_found: Option<String>,
    /// The page of `public` that is sent with 200 where nothing is, to clients that go to a page; none: they get 404.
    pub fallback: Option<String>,
    /// The folder for compiled controllers; none: they are compiled at each start.
    pub cache: Option<PathBuf>,
    /// The program that compiles controllers, each in a process of its own that can be ended: `lakou` itself, if this is it.
    /// None: this process compiles, and a compilation that takes longer than `compile-time` goes on without being waited for.
    pub compiler: Option<PathBuf>,
    /// Origins whose pages may connect, beside pages of the request's own host; `*` is all.
    pub origins: Vec<String>,
    /// The names that this server answers to. None: to all, but at a loopback address pages are this server's own only where
    /// their host can mean nothing but this machine, because any name can be made to resolve to it (DNS rebinding).
    pub hosts: Vec<HostPattern>,
    /// How long a request's head may take to arrive: from the beginning of a connection, or from its first byte.
    pub handshake_timeout: Duration,
    /// How long an HTTP connection is kept open between two requests. Longer than the proxies before it keep theirs, or they
    /// send a request into a connection that has just been closed; 60 s is what they do by default.
    pub keep_alive_timeout: Duration,
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
    /// Connections of one client address at a time; a /64 counts as one address of IPv6. Generous, because thousands may
    /// share an address behind a carrier's NAT; it is there so that no single address can take the whole server.
    pub max_connections_per_address: usize,
    /// Plain requests of one client address that controllers answer at a time; none: a quarter of `max_requests`. More wait,
    /// and get 503 after `call_time`.
    pub max_requests_per_address: Option<usize>,
    /// Requests for a WebSocket that one client address may make in a second, on average.
    pub max_handshakes_per_second: u32,
    /// Requests for a WebSocket that one client address may make at once: all that share it may come back after a restart.
    pub handshake_burst: u32,
    /// Messages and pings that are read from one WebSocket in a second, on average. Beyond it the socket is not read, and
    /// TCP slows the client down; nothing is lost.
    pub max_messages_per_second: u32,
    /// Messages and pings that are read from one WebSocket at once; after a calm time twice as many.
    pub message_burst: u32,
    /// The longest head of a request, in bytes.
    pub max_header: usize,
    /// The longest body of a plain request, in bytes. By default what the SDK takes whole, an eighth of the memory that an
    /// instance has: a controller that streams can take more.
    pub max_body: usize,
    /// How long a controller's guest may be kept waiting for a request's body in all; each piece of it gives time back, as
    /// `min_body_rate` says.
    pub body_timeout: Duration,
    /// How many bytes of a request's body are worth a second of `body_timeout`; at 0 the first byte is worth all of it.
    pub min_body_rate: usize,
    /// Addresses of proxies whose word about a client's address is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// Which header field trusted proxies set. Only one is looked at: a proxy that sets the one often passes on what a client
    /// wrote into the other.
    pub forwarded_header: ForwardedHeader,
    /// Whether connections of trusted proxies begin with a PROXY protocol header, version 1 or 2.
    pub proxy_protocol: bool,
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
    /// The read buffer of a WebSocket on which messages come and go, in bytes: more costs memory, less costs system calls.
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

/// The header field in which proxies name the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForwardedHeader {
    /// `x-forwarded-for`, which most proxies set.
    XForwardedFor,
    /// `forwarded`, of RFC 7239.
    Forwarded,
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
    /// Instead of [`GuestLimits::stream_timeout`].
    pub stream_timeout: Option<Duration>,
    /// Instead of [`GuestLimits::hibernate_after`].
    pub hibernate_after: Option<Duration>,
    /// Instead of [`GuestLimits::max_state`].
    pub max_state: Option<usize>,
    /// Instead of [`GuestLimits::max_timers`].
    pub max_timers: Option<usize>,
    /// Instead of [`Config::outbox`].
    pub outbox: Option<usize>,
    /// Instead of [`Config::max_topics`].
    pub max_topics: Option<usize>,
    /// Instead of [`GuestLimits::table_elements`].
    pub table_elements: Option<usize>,
    /// Instead of [`GuestLimits::stack`].
    pub stack: Option<usize>,
    /// Instead of [`GuestLimits::max_outgoing`].
    pub max_outgoing: Option<usize>,
    /// Instead of [`GuestLimits::connections`].
    pub connections: Option<usize>,
    /// Instead of [`GuestLimits::instances`].
    pub instances: Option<usize>,
    /// Instead of [`GuestLimits::requests`].
    pub requests: Option<usize>,
    /// Instead of [`GuestLimits::max_handles`].
    pub max_handles: Option<usize>,
    /// Instead of [`GuestLimits::max_handover`].
    pub max_handover: Option<usize>,
    /// Instead of [`GuestLimits::event_rate`].
    pub event_rate: Option<usize>,
    /// Instead of [`GuestLimits::store_rate`].
    pub store_rate: Option<usize>,
    /// Instead of [`GuestLimits::log_rate`].
    pub log_rate: Option<usize>,
    /// Instead of [`GuestLimits::max_component`].
    pub max_component: Option<usize>,
    /// Instead of [`GuestLimits::compile_time`].
    pub compile_time: Option<Duration>,
    /// Instead of [`GuestLimits::max_failures`].
    pub max_failures: Option<usize>,
    /// Instead of [`GuestLimits::max_bucket`].
    pub max_bucket: Option<usize>,
    /// Instead of [`GuestLimits::max_mailboxes`].
    pub max_mailboxes: Option<usize>,
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
            listen: SocketAddr::from(([127, 0, 0, 1], 8000)).into(),
            controllers: "controllers".into(),
            strict: false,
            public: None,
            cache_control: "no-cache".into(),
            not_found: None,
            fallback: None,
            cache: None,
            compiler: None,
            origins: Vec::new(),
            hosts: Vec::new(),
            handshake_timeout: Duration::from_secs(10),
            keep_alive_timeout: Duration::from_secs(75),
            ping_interval: Duration::from_secs(25),
            idle_timeout: Duration::from_secs(60),
            close_timeout: Duration::from_secs(5),
            drain_time: Duration::from_secs(5),
            max_connections: 100_000,
            max_connections_per_address: 20_000,
            max_requests_per_address: None,
            max_handshakes_per_second: 1_000,
            handshake_burst: 20_000,
            max_messages_per_second: 10_000,
            message_burst: 10_000,
            max_header: 64 * KIB,
            max_body: 8 * MIB,
            body_timeout: Duration::from_secs(20),
            min_body_rate: 256,
            trusted_proxies: Vec::new(),
            forwarded_header: ForwardedHeader::XForwardedFor,
            proxy_protocol: false,
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
        if self.proxy_protocol && self.trusted_proxies.is_empty() {
            let wrong = "proxy-protocol needs trusted-proxies: only they are listened to";
            return Err(ConfigError::Together(wrong.into()));
        }
        Ok(())
    }

    /// The longest that a call into any controller may take.
    pub(crate) fn largest_call_time(&self) -> Duration {
        self.overrides.values().filter_map(|controller| controller.call_time).fold(self.guest.call_time, Duration::max)
    }
}
