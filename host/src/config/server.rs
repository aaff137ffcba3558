//! The table of the server's settings: name, type, default, bounds, what each does, and what happens at it. The type `Config` is
//! made of it, as well as what `settings` makes of every table.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::form::{Count, FOLDER, Form, Or, Size, Switch, Text, Time};
use super::settings::{INSTANT, MILLISECOND, Setting};
use super::value;
use super::{Addressee, ControllerConfig, ForwardedHeader, GIB, GuestLimits, HostPattern, KIB, ListenAddress, MIB};

macro_rules! server {
    ($(
        $(#[doc = $doc:literal])+
        $field:ident: $type:ty = $default:expr, $name:literal $form:expr, $at:literal $(, own $($own:ident).+)?;
    )+) => {
        /// All settings of a server. The names in files, flags and variables are those of the fields.
        #[derive(Debug, Clone)]
        #[non_exhaustive]
        pub struct Config {
            $($(#[doc = $doc])+ pub $field: $type,)+
            /// The program that compiles controllers, each in a process of its own that can be ended: `lakou` itself, if this
            /// is it. None: this process compiles, and a compilation that takes longer than `compile-time` goes on without
            /// being waited for.
            pub compiler: Option<PathBuf>,
            /// Lifetimes of identities that are shorter are raised to this. No file, flag or variable sets it: shorter ones
            /// than the contract names are for tests.
            pub shortest_lifetime: Duration,
            /// Limits of each controller that has none of its own.
            pub guest: GuestLimits,
            /// Settings of single controllers, by name.
            pub overrides: BTreeMap<String, ControllerConfig>,
        }

        impl Default for Config {
            fn default() -> Self {
                Config {
                    $($field: $default,)+
                    compiler: None,
                    shortest_lifetime: Duration::from_secs(10 * 60),
                    guest: GuestLimits::default(),
                    overrides: BTreeMap::new(),
                }
            }
        }

        /// Every setting of the table.
        pub(super) const SETTINGS: &[Setting] = &[$(Setting {
            name: $name,
            doc: &[$($doc),+],
            at: $at,
            value_name: || Form::<$type>::value_name(&$form),
            allowed: || Form::<$type>::allowed(&$form),
            default: |config| Form::<$type>::show(&$form, &config.$field),
            set: |config, given| {
                config.$field = Form::<$type>::read(&$form, given)?;
                Ok(())
            },
            own: server!(@own $type, $form $(, $($own).+)?),
        },)+];
    };
    (@own $type:ty, $form:expr) => { None };
    (@own $type:ty, $form:expr, $($own:ident).+) => {
        Some(|controller, given| {
            controller.$($own).+ = Some(Form::<$type>::read(&$form, given)?);
            Ok(())
        })
    };
}

/// The HTTP library's own least.
const LEAST_HEADER: usize = 8 * KIB;
/// Addresses, instances and the like: what a count is never meant to exceed.
const MANY: usize = 10_000_000;

/// A list that is empty by default.
const fn list<T>(allowed: &'static str, read: fn(&value::Given) -> Result<Vec<T>, String>) -> Text<Vec<T>> {
    Text { value_name: "LIST", allowed, read, show: |_| "none".into() }
}

/// A page in `public`.
const PAGE: Text<String> =
    Text { value_name: "FILE", allowed: "a file in `public`", read: value::page, show: String::clone };

server! {
    /// The folder whose `*.wasm` files are served.
    controllers: PathBuf = "controllers".into(), "controllers" FOLDER, "";
    /// Whether the server starts only if every component of the folder can be served, and there is one.
    strict: bool = false, "strict" Switch, "";
    /// The address to listen on: `127.0.0.1:8000`, `localhost:8000`, `:8000` (all addresses) or `8000`.
    /// At port 0 the system chooses a free one.
    listen: ListenAddress = SocketAddr::from(([127, 0, 0, 1], 8000)).into(), "listen"
        Text { value_name: "ADDR", allowed: "an address with a port", read: value::listen, show: ToString::to_string }, "";
    /// The folder of static files.
    public: Option<PathBuf> = None, "public" Or(FOLDER, "public, if it is there"), "";
    /// The field `cache-control` of static files; empty: none is sent, and clients guess.
    cache_control: String = "no-cache".into(), "cache-control"
        Text { value_name: "TEXT", allowed: "the value of a header field", read: value::field, show: String::clone }, "";
    /// The page of `public` that is sent with 404 where nothing is.
    not_found: Option<String> = None, "not-found" Or(PAGE, "none, a line of text"), "";
    /// The page of `public` that is sent with 200 where nothing is, to clients that go to a page, like `index.html`.
    fallback: Option<String> = None, "fallback" Or(PAGE, "none"), "";
    /// The folder for compiled controllers.
    cache: Option<PathBuf> = None, "cache" Or(FOLDER, "lakou in the user's cache folder"), "";
    /// Origins whose pages may connect, beside pages of the request's own host; `*` is all.
    origins: Vec<String> = Vec::new(), "origins" list("origins, as `https://*.example.org`", value::origins),
        "403", own origins;
    /// The names that this server answers to, as `example.org` or `*.example.org`.
    /// None: to all, but at a loopback address pages are this server's own only where their host can mean nothing but this
    /// machine, because any name can be made to resolve to it (DNS rebinding).
    hosts: Vec<HostPattern> = Vec::new(), "hosts" list("names", value::parsed), "others get 421";
    /// How long the head of a request may take: from the beginning of a connection, or from its first byte.
    handshake_timeout: Duration = Duration::from_secs(10), "handshake-timeout" Time(MILLISECOND), "closed";
    /// How long an HTTP connection is kept open between two requests.
    /// Longer than the proxies before it keep theirs, or they send a request into a connection that has just been closed;
    /// 60 s is what they do by default.
    keep_alive_timeout: Duration = Duration::from_secs(75), "keep-alive-timeout" Time(MILLISECOND), "closed";
    /// How long a WebSocket is silent until it is pinged.
    ping_interval: Duration = Duration::from_secs(25), "ping-interval" Time(MILLISECOND), "a ping";
    /// How long a WebSocket is silent, without even a pong, until it is given up; and how long an answer may go unread.
    idle_timeout: Duration = Duration::from_secs(60), "idle-timeout" Time(MILLISECOND), "closed";
    /// How long a client may take to answer a close, and what is queued for it to be taken.
    close_timeout: Duration = Duration::from_secs(5), "close-timeout" Time(MILLISECOND), "cut off";
    /// Over how long the closes of a stopping server are spread.
    drain_time: Duration = Duration::from_secs(5), "drain-time" Time(INSTANT), "";
    /// Client connections at a time, HTTP and WebSocket together.
    /// It is lowered to what the limit of open files leaves.
    max_connections: usize = 100_000, "max-connections" Count(MANY), "503 with `retry-after`";
    /// Connections of one client address at a time; a /64 counts as one address of IPv6.
    /// Generous, because thousands may share an address behind a carrier's NAT; it is there so that no single address can take
    /// the whole server.
    max_connections_per_address: usize = 20_000, "max-connections-per-address" Count(MANY), "503 with `retry-after`";
    /// Plain requests of one client address that controllers answer at a time.
    max_requests_per_address: Option<usize> = None, "max-requests-per-address"
        Or(Count(5_000), "a quarter of max-requests"), "they wait; 503 after `call-time`";
    /// Requests for a WebSocket that one client address may make in a second, on average.
    max_handshakes_per_second: u32 = 1_000, "max-handshakes-per-second" Count(MANY), "429 with `retry-after`";
    /// Requests for a WebSocket that one client address may make at once: all that share it may come back after a restart.
    handshake_burst: u32 = 20_000, "handshake-burst" Count(MANY), "429 with `retry-after`";
    /// Messages and pings that are read from one WebSocket in a second, on average.
    max_messages_per_second: u32 = 10_000, "max-messages-per-second" Count(MANY),
        "the socket is not read for a while, and TCP slows the client down; nothing is lost";
    /// Messages and pings that are read from one WebSocket at once; after a calm time twice as many.
    message_burst: u32 = 10_000, "message-burst" Count(MANY), "the socket is read at `max-messages-per-second`";
    /// The longest head of a request.
    max_header: usize = 64 * KIB, "max-header" Size(LEAST_HEADER, 16 * MIB), "431, closed";
    /// The longest body of a plain request.
    /// By default what the SDK takes whole, an eighth of the memory that an instance has: a controller that streams can take
    /// more.
    max_body: usize = 8 * MIB, "max-body" Size(0, 1024 * GIB), "413";
    /// How long a controller may be kept waiting for a request's body in all.
    /// Each piece of it gives time back, as `min-body-rate` says. A WebSocket message that has begun has as long.
    body_timeout: Duration = Duration::from_secs(20), "body-timeout" Time(MILLISECOND), "408; a message: closed with 1008";
    /// How many bytes of a request's body are worth a second of `body-timeout`; at 0 the first byte is worth all of it.
    min_body_rate: usize = 256, "min-body-rate" Size(0, GIB), "408; a message: closed with 1008";
    /// Addresses and networks of proxies whose word about a client's address is taken.
    trusted_proxies: Vec<IpNet> = Vec::new(), "trusted-proxies" list("addresses, as `10.0.0.0/8`", value::networks), "";
    /// Which header field trusted proxies set.
    /// Only one is looked at: a proxy that sets the one often passes on what a client wrote into the other.
    forwarded_header: ForwardedHeader = ForwardedHeader::XForwardedFor, "forwarded-header"
        Text { value_name: "NAME", allowed: "`x-forwarded-for` or `forwarded`", read: value::forwarded_header, show: ForwardedHeader::name }, "";
    /// Whether connections of trusted proxies begin with a PROXY protocol header, version 1 or 2.
    proxy_protocol: bool = false, "proxy-protocol" Switch, "those without are closed";
    /// The longest message from a client.
    max_message: usize = MIB, "max-message" Size(1, GIB), "closed with 1009";
    /// The longest frame from a client, at most `max-message`.
    max_frame: usize = MIB, "max-frame" Size(1, GIB), "closed with 1009";
    /// How many bytes may wait for one client, at least `max-message`.
    outbox: usize = MIB, "outbox" Size(KIB, GIB), "the client is closed with 3008", own outbox;
    /// The longest arguments of an event.
    max_event: usize = 256 * KIB, "max-event" Size(2, 8 * MIB), "`too-large`";
    /// Topics that one connection may be subscribed to.
    max_topics: usize = 128, "max-topics" Count(1_000_000), "`unavailable`", own max_topics;
    /// The read buffer of a WebSocket on which messages come and go: more costs memory, less costs system calls.
    read_buffer: usize = 4 * KIB, "read-buffer" Size(512, 16 * MIB), "";
    /// The Redis that makes many servers one: `redis://`, `rediss://`, `redis+sentinel://` or `redis+cluster://`.
    redis: Option<String> = None, "redis"
        Or(Text { value_name: "URL", allowed: "a URL", read: value::redis, show: String::clone }, "none"), "";
    /// What every key and channel in Redis begins with: servers with the same one are one application.
    redis_prefix: String = "lakou".into(), "redis-prefix"
        Text { value_name: "TEXT", allowed: "1 to 64 letters, digits, `-`, `_`, `.` and `:`", read: value::prefix, show: String::clone }, "";
    /// Events that a stream in Redis keeps at least, for servers that have lost their connection.
    redis_window: usize = 16 * 1024, "redis-window" Count(MANY), "the oldest go; a server that has not read them counts the gap";
    /// How many bytes of events may wait while Redis is away.
    redis_backlog: usize = 16 * MIB, "redis-backlog" Size(KIB, GIB), "`unavailable`";
    /// The folder for identities, mailboxes, keys and values of a server without Redis.
    data: Option<PathBuf> = None, "data" Or(FOLDER, "none, in memory"), "";
    /// Identities that one connection may be registered as.
    max_identities: usize = 8, "max-identities" Count(10_000), "`unavailable`";
    /// Notifications that one mailbox holds.
    mailbox_entries: u32 = 1_000, "mailbox-entries" Count(1_000_000), "the oldest are dropped";
    /// How many bytes of notifications one mailbox holds.
    mailbox_size: usize = MIB, "mailbox-size" Size(KIB, GIB), "the oldest are dropped";
    /// Instances for connections alive at a time, of all controllers together.
    max_instances: u32 = 1_000, "max-instances" Count(10_000), "503; 1013 for a connection that has lost its own";
    /// Plain HTTP requests that controllers answer at a time.
    max_requests: u32 = 256, "max-requests" Count(5_000), "they wait; 503 after `call-time`";
    /// Addressees of each controller beside its own: `all`, `controller:NAME`, `topic:NAME`, `identity:NAME`, `*`.
    messaging: Vec<Addressee> = Vec::new(), "messaging" list("addressees", value::parsed), "`denied`",
        own grants.messaging;
}
