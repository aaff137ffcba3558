//! The one list of settings: name, what its value looks like, what it does, and where it goes. `lakou.toml`, the flags and
//! the variables are all made of it.

use std::time::Duration;

use super::value::{self, Given};
use super::{Config, ControllerConfig};

/// One setting of a server.
pub(crate) struct Setting {
    /// As in `lakou.toml`; `--` before it makes the flag.
    pub(crate) name: &'static str,
    /// What stands for its value in the help.
    pub(crate) value_name: &'static str,
    pub(crate) help: &'static str,
    pub(super) set: fn(&mut Config, &Given) -> Result<(), String>,
}

impl Setting {
    /// The name of its environment variable.
    pub(crate) fn variable(&self) -> String {
        format!("LAKOU_{}", self.name.replace('-', "_").to_uppercase())
    }
}

/// One setting of a single controller, in its table `[controller.NAME]`.
pub(super) struct ControllerSetting {
    pub(super) name: &'static str,
    pub(super) set: fn(&mut ControllerConfig, &Given) -> Result<(), String>,
}

const INSTANT: Duration = Duration::ZERO;
const MILLISECOND: Duration = Duration::from_millis(1);
const GIB: usize = 1024 * 1024 * 1024;
/// The HTTP library's own least.
const LEAST_HEADER: usize = 8 * 1024;
/// Connections of one instance: beyond some hundreds sharing saves nothing more, and a failure loses them all.
const MOST_CONNECTIONS: usize = 10_000;
/// The smallest memory that a guest can start with: a few pages of 64 KiB.
const LEAST_MEMORY: usize = 256 * 1024;
/// A wasm memory ends at 4 GiB, and the pool reserves that much address space for each.
const MOST_MEMORY: usize = 4 * GIB - 64 * 1024;
/// The pool reserves room for so many entries of every table, so a setting far beyond what is used costs all.
const MOST_ELEMENTS: usize = 1024 * 1024;
/// The smallest stack that a toolchain's own start gets by with.
const LEAST_STACK: usize = 64 * 1024;
/// Every instance reserves address space for a stack.
const MOST_STACK: usize = 16 * 1024 * 1024;
/// A second of the log of one controller.
const MOST_LINES: usize = 1_000_000;
const MOST_EVENTS: usize = 100_000_000;
const MOST_FAILURES: usize = 1_000_000;

macro_rules! settings {
    ($($name:literal $value_name:literal $help:literal |$config:ident, $given:ident| $set:expr;)+) => {
        &[$(Setting {
            name: $name,
            value_name: $value_name,
            help: $help,
            set: |$config, $given| { $set; Ok(()) },
        },)+]
    };
}

macro_rules! controller_settings {
    ($($name:literal |$config:ident, $given:ident| $set:expr;)+) => {
        &[$(ControllerSetting { name: $name, set: |$config, $given| { $set; Ok(()) } },)+]
    };
}

/// Every setting of a server, in the order of the help.
pub(crate) const SETTINGS: &[Setting] = settings! {
    "controllers" "DIR" "folder whose *.wasm files are served [default: controllers]"
        |c, v| c.controllers = value::path(v)?;
    "strict" "true|false" "start only if every component can be served, and there is one [default: false]"
        |c, v| c.strict = value::switch(v)?;
    "listen" "ADDR" "address to listen on, as 127.0.0.1:8000, localhost:8000, :8000 (all addresses) or 8000; port 0 takes a free one [default: 127.0.0.1:8000]"
        |c, v| c.listen = value::listen(v)?;
    "public" "DIR" "folder of static files [default: public, if it is there]"
        |c, v| c.public = Some(value::path(v)?);
    "cache-control" "TEXT" "cache-control of static files; nothing: none is sent [default: no-cache]"
        |c, v| c.cache_control = value::field(v)?;
    "not-found" "FILE" "page of public that is sent with 404 [default: none, a line of text]"
        |c, v| c.not_found = Some(value::page(v)?);
    "fallback" "FILE" "page of public that is sent instead of 404 to who goes to a page, like index.html [default: none]"
        |c, v| c.fallback = Some(value::page(v)?);
    "cache" "DIR" "folder for compiled controllers [default: lakou in the user's cache folder]"
        |c, v| c.cache = Some(value::path(v)?);
    "origins" "LIST" "origins whose pages may connect, beside the host's own; * is all"
        |c, v| c.origins = value::origins(v)?;
    "hosts" "LIST" "names that the server answers to, as example.org or *.example.org; others get 421"
        |c, v| c.hosts = value::parsed(v)?;
    "handshake-timeout" "TIME" "how long the head of a request may take [default: 10s]"
        |c, v| c.handshake_timeout = value::duration(v, MILLISECOND)?;
    "keep-alive-timeout" "TIME" "an idle HTTP connection is closed after this [default: 75s]"
        |c, v| c.keep_alive_timeout = value::duration(v, MILLISECOND)?;
    "ping-interval" "TIME" "a silent WebSocket is pinged after this [default: 25s]"
        |c, v| c.ping_interval = value::duration(v, MILLISECOND)?;
    "idle-timeout" "TIME" "a silent WebSocket is given up after this [default: 60s]"
        |c, v| c.idle_timeout = value::duration(v, MILLISECOND)?;
    "close-timeout" "TIME" "how long a client may take to answer a close [default: 5s]"
        |c, v| c.close_timeout = value::duration(v, MILLISECOND)?;
    "drain-time" "TIME" "over how long a stopping server spreads its closes [default: 5s]"
        |c, v| c.drain_time = value::duration(v, INSTANT)?;
    "max-connections" "COUNT" "client connections at a time [default: 100000]"
        |c, v| c.max_connections = value::count(v, 10_000_000)?;
    "max-connections-per-address" "COUNT" "connections of one client address at a time [default: 20000]"
        |c, v| c.max_connections_per_address = value::count(v, 10_000_000)?;
    "max-handshakes-per-second" "COUNT" "requests for a WebSocket from one address [default: 1000]"
        |c, v| c.max_handshakes_per_second = value::small_count(v)?;
    "handshake-burst" "COUNT" "as many of them may come at once [default: 20000]"
        |c, v| c.handshake_burst = value::small_count(v)?;
    "max-messages-per-second" "COUNT" "messages and pings read from one WebSocket [default: 10000]"
        |c, v| c.max_messages_per_second = value::small_count(v)?;
    "message-burst" "COUNT" "as many of them are read at once [default: 10000]"
        |c, v| c.message_burst = value::small_count(v)?;
    "max-requests-per-address" "COUNT" "plain requests of one address that controllers answer [default: a quarter of max-requests]"
        |c, v| c.max_requests_per_address = Some(value::count(v, 5_000)?);
    "max-header" "SIZE" "longest head of a request [default: 64KiB]"
        |c, v| c.max_header = value::size(v, LEAST_HEADER, 16 * 1024 * 1024)?;
    "max-body" "SIZE" "longest body of a plain request [default: 8MiB]"
        |c, v| c.max_body = value::size(v, 0, 1024 * GIB)?;
    "body-timeout" "TIME" "how long the body of a request may be waited for [default: 20s]"
        |c, v| c.body_timeout = value::duration(v, MILLISECOND)?;
    "min-body-rate" "SIZE" "how much of a body is worth a second of body-timeout; 0: any byte all of it [default: 256]"
        |c, v| c.min_body_rate = value::size(v, 0, GIB)?;
    "trusted-proxies" "LIST" "addresses and networks of proxies that say who the client is [default: none]"
        |c, v| c.trusted_proxies = value::networks(v)?;
    "forwarded-header" "NAME" "where they say it: x-forwarded-for or forwarded [default: x-forwarded-for]"
        |c, v| c.forwarded_header = value::forwarded_header(v)?;
    "proxy-protocol" "BOOL" "their connections begin with a PROXY protocol header [default: false]"
        |c, v| c.proxy_protocol = value::switch(v)?;
    "max-message" "SIZE" "longest message from a client [default: 1MiB]"
        |c, v| c.max_message = value::size(v, 1, GIB)?;
    "max-frame" "SIZE" "longest frame from a client, at most max-message [default: 1MiB]"
        |c, v| c.max_frame = value::size(v, 1, GIB)?;
    "outbox" "SIZE" "how much may wait for one client, at least max-message [default: 1MiB]"
        |c, v| c.outbox = value::size(v, 1024, GIB)?;
    "max-event" "SIZE" "longest arguments of an event [default: 256KiB]"
        |c, v| c.max_event = value::size(v, 2, 8 * 1024 * 1024)?;
    "max-topics" "COUNT" "topics of one connection [default: 128]"
        |c, v| c.max_topics = value::count(v, 1_000_000)?;
    "read-buffer" "SIZE" "read buffer of each WebSocket [default: 4KiB]"
        |c, v| c.read_buffer = value::size(v, 512, 16 * 1024 * 1024)?;
    "redis" "URL" "Redis that makes many servers one: redis://, redis+sentinel:// or redis+cluster:// [default: none]"
        |c, v| c.redis = Some(value::redis(v)?);
    "redis-prefix" "TEXT" "what keys in Redis begin with, the same for all servers of an application [default: lakou]"
        |c, v| c.redis_prefix = value::prefix(v)?;
    "redis-window" "COUNT" "events that a stream in Redis keeps for servers that were cut off [default: 16384]"
        |c, v| c.redis_window = value::count(v, 10_000_000)?;
    "redis-backlog" "SIZE" "how much may wait while Redis is away [default: 16MiB]"
        |c, v| c.redis_backlog = value::size(v, 1024, GIB)?;
    "data" "DIR" "folder for identities, mailboxes, keys and values of a server without Redis [default: none, in memory]"
        |c, v| c.data = Some(value::path(v)?);
    "max-identities" "COUNT" "identities of one connection [default: 8]"
        |c, v| c.max_identities = value::count(v, 10_000)?;
    "mailbox-entries" "COUNT" "notifications in one mailbox [default: 1000]"
        |c, v| c.mailbox_entries = u32::try_from(value::count(v, 1_000_000)?).unwrap_or(u32::MAX);
    "mailbox-size" "SIZE" "how much one mailbox holds [default: 1MiB]"
        |c, v| c.mailbox_size = value::size(v, 1024, GIB)?;
    "max-instances" "COUNT" "instances for connections at a time [default: 1000]"
        |c, v| c.max_instances = u32::try_from(value::count(v, 10_000)?).unwrap_or(u32::MAX);
    "max-requests" "COUNT" "plain HTTP requests that controllers answer at a time [default: 256]"
        |c, v| c.max_requests = u32::try_from(value::count(v, 5_000)?).unwrap_or(u32::MAX);
    "connections-per-instance" "COUNT" "connections that share a sandbox [default: 256]"
        |c, v| c.guest.connections_per_instance = value::count(v, MOST_CONNECTIONS)?;
    "memory" "SIZE" "memory of one instance [default: 64MiB]"
        |c, v| c.guest.memory = value::size(v, LEAST_MEMORY, MOST_MEMORY)?;
    "cpu-time" "TIME" "CPU time of one call into a controller [default: 100ms]"
        |c, v| c.guest.cpu_time = value::duration(v, MILLISECOND)?;
    "call-time" "TIME" "time of one call into a controller in all [default: 5s]"
        |c, v| c.guest.call_time = value::duration(v, MILLISECOND)?;
    "stream-timeout" "TIME" "how long an answer that has begun may stand still [default: 60s]"
        |c, v| c.guest.stream_timeout = value::duration(v, MILLISECOND)?;
    "hibernate-after" "TIME" "idle objects that can be saved give their memory back after this [default: 10m]"
        |c, v| c.guest.hibernate_after = value::duration(v, MILLISECOND)?;
    "max-state" "SIZE" "saved state of one connection [default: 64KiB]"
        |c, v| c.guest.max_state = value::size(v, 1, 16 * 1024 * 1024)?;
    "max-timers" "COUNT" "timers of one connection [default: 64]"
        |c, v| c.guest.max_timers = value::count(v, 10_000)?;
    "connections-per-controller" "COUNT" "connections of one controller [default: half of max-connections]"
        |c, v| c.guest.connections = Some(value::count(v, 10_000_000)?);
    "instances-per-controller" "COUNT" "instances of one controller [default: half of max-instances]"
        |c, v| c.guest.instances = Some(value::count(v, 10_000)?);
    "requests-per-controller" "COUNT" "plain requests that one controller answers at a time [default: half of max-requests]"
        |c, v| c.guest.requests = Some(value::count(v, 5_000)?);
    "table-elements" "COUNT" "entries of the tables of one instance [default: 65536]"
        |c, v| c.guest.table_elements = value::count(v, MOST_ELEMENTS)?;
    "stack" "SIZE" "stack of one call into a controller [default: 512KiB]"
        |c, v| c.guest.stack = value::size(v, LEAST_STACK, MOST_STACK)?;
    "max-handles" "COUNT" "resource handles of one instance, beside those of its connections [default: 256]"
        |c, v| c.guest.max_handles = value::count(v, 1_000_000)?;
    "max-handover" "SIZE" "what a controller may hand over at once [default: 16MiB, or four of the largest messages]"
        |c, v| c.guest.max_handover = Some(value::size(v, 1024, GIB)?);
    "event-rate" "COUNT" "events, notifications, publications and registrations of one controller in a second [default: 20000]"
        |c, v| c.guest.event_rate = value::count(v, MOST_EVENTS)?;
    "store-rate" "COUNT" "calls of one controller for values, identities and subscriptions in a second [default: 10000]"
        |c, v| c.guest.store_rate = value::count(v, MOST_EVENTS)?;
    "log-rate" "COUNT" "lines in the log because of one controller in a second [default: 100]"
        |c, v| c.guest.log_rate = value::count(v, MOST_LINES)?;
    "max-component" "SIZE" "largest component file [default: 64MiB]"
        |c, v| c.guest.max_component = value::size(v, 1, GIB)?;
    "compile-time" "TIME" "how long a component may take to compile [default: 1m]"
        |c, v| c.guest.compile_time = value::duration(v, MILLISECOND)?;
    "max-failures" "COUNT" "failures in ten seconds that back a controller off, if more calls fail than go well [default: 10]"
        |c, v| c.guest.max_failures = value::count(v, MOST_FAILURES)?;
    "max-bucket" "SIZE" "keys and values of one controller [default: 64MiB]"
        |c, v| c.guest.max_bucket = value::size(v, 1024, GIB)?;
    "max-mailboxes" "SIZE" "what the identities of one controller and their mailboxes cost together [default: 256MiB]"
        |c, v| c.guest.max_mailboxes = value::size(v, 1024, 1024 * GIB)?;
    "max-outward" "COUNT" "WebSockets that one controller has open to other servers [default: 64]"
        |c, v| c.guest.max_outward = value::count(v, 100_000)?;
    "max-outgoing" "COUNT" "requests of one instance to other servers that are under way [default: 16]"
        |c, v| c.guest.max_outgoing = value::count(v, 10_000)?;
    "messaging" "LIST" "whom controllers may address beside their own: all, controller:NAME, topic:NAME, identity:NAME, *"
        |c, v| c.messaging = value::parsed(v)?;
};

/// Every setting of a single controller.
pub(super) const CONTROLLER_SETTINGS: &[ControllerSetting] = controller_settings! {
    "path" |c, v| c.path = Some(value::text(v)?);
    "origins" |c, v| c.origins = Some(value::origins(v)?);
    "connections-per-instance" |c, v| c.connections_per_instance = Some(value::count(v, MOST_CONNECTIONS)?);
    "memory" |c, v| c.memory = Some(value::size(v, LEAST_MEMORY, MOST_MEMORY)?);
    "cpu-time" |c, v| c.cpu_time = Some(value::duration(v, MILLISECOND)?);
    "call-time" |c, v| c.call_time = Some(value::duration(v, MILLISECOND)?);
    "stream-timeout" |c, v| c.stream_timeout = Some(value::duration(v, MILLISECOND)?);
    "hibernate-after" |c, v| c.hibernate_after = Some(value::duration(v, MILLISECOND)?);
    "max-state" |c, v| c.max_state = Some(value::size(v, 1, 16 * 1024 * 1024)?);
    "max-timers" |c, v| c.max_timers = Some(value::count(v, 10_000)?);
    "outbox" |c, v| c.outbox = Some(value::size(v, 1024, GIB)?);
    "max-topics" |c, v| c.max_topics = Some(value::count(v, 1_000_000)?);
    "connections-per-controller" |c, v| c.connections = Some(value::count(v, 10_000_000)?);
    "instances-per-controller" |c, v| c.instances = Some(value::count(v, 10_000)?);
    "requests-per-controller" |c, v| c.requests = Some(value::count(v, 5_000)?);
    "table-elements" |c, v| c.table_elements = Some(value::count(v, MOST_ELEMENTS)?);
    "stack" |c, v| c.stack = Some(value::size(v, LEAST_STACK, MOST_STACK)?);
    "max-handles" |c, v| c.max_handles = Some(value::count(v, 1_000_000)?);
    "max-handover" |c, v| c.max_handover = Some(value::size(v, 1024, GIB)?);
    "event-rate" |c, v| c.event_rate = Some(value::count(v, MOST_EVENTS)?);
    "store-rate" |c, v| c.store_rate = Some(value::count(v, MOST_EVENTS)?);
    "log-rate" |c, v| c.log_rate = Some(value::count(v, MOST_LINES)?);
    "max-component" |c, v| c.max_component = Some(value::size(v, 1, GIB)?);
    "compile-time" |c, v| c.compile_time = Some(value::duration(v, MILLISECOND)?);
    "max-failures" |c, v| c.max_failures = Some(value::count(v, MOST_FAILURES)?);
    "max-bucket" |c, v| c.max_bucket = Some(value::size(v, 1024, GIB)?);
    "max-mailboxes" |c, v| c.max_mailboxes = Some(value::size(v, 1024, 1024 * GIB)?);
    "keyvalue" |c, v| c.grants.keyvalue = value::switch(v)?;
    "max-outward" |c, v| c.max_outward = Some(value::count(v, 100_000)?);
    "max-outgoing" |c, v| c.max_outgoing = Some(value::count(v, 10_000)?);
    "service" |c, v| c.service = Some(value::switch(v)?);
    "http" |c, v| c.grants.http = value::destinations(v, false)?;
    "websocket" |c, v| c.grants.websocket = value::destinations(v, true)?;
    "environment" |c, v| c.grants.environment = value::parsed(v)?;
    "files" |c, v| c.grants.files = value::parsed(v)?;
    "messaging" |c, v| c.grants.messaging = Some(value::parsed(v)?);
};
