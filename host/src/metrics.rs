//! What the host counts. One list names every counter; tests and, later, the admin listener read them all at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::limit::HitsByController;

macro_rules! metrics {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// The counters of one server, updated without locks.
        #[derive(Debug, Default)]
        pub struct Metrics {
            $(pub(crate) $name: Metric,)+
            pub(crate) limits: HitsByController,
        }

        /// The values of all counters at one moment.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Snapshot {
            $($(#[doc = $doc])+ pub $name: u64,)+
            /// How often each controller has hit which of its limits, by the name of the limit's setting; no entry: never.
            pub limits: BTreeMap<String, BTreeMap<&'static str, u64>>,
        }

        impl Metrics {
            /// Reads every counter. They are not read at the same instant.
            pub fn snapshot(&self) -> Snapshot {
                Snapshot { $($name: self.$name.get(),)+ limits: self.limits.counts() }
            }
        }
    };
}

metrics! {
    /// WebSocket connections open now, those that controllers have opened included.
    connections,
    /// WebSocket connections opened since the start.
    connections_opened,
    /// Requests for a connection that were answered with something else than 101.
    connections_refused,
    /// TCP connections turned away because `max-connections` were open.
    over_capacity,
    /// Connections turned away because their address had `max-connections-per-address`.
    over_address_capacity,
    /// Plain requests answered with 503, because `max-requests-per-address` of their address were being answered.
    over_address_requests,
    /// Requests for a connection answered with 429, because their address had asked too often.
    handshakes_limited,
    /// Times that a WebSocket was not read for a while, because it sent more than `max-messages-per-second`.
    clients_slowed,
    /// Requests whose head was over `max-header` or had too many fields.
    headers_too_large,
    /// Requests whose head took longer than `handshake-timeout`, connections that begin with silence among them.
    handshakes_too_slow,
    /// Plain requests whose body was over `max-body`.
    bodies_too_large,
    /// Plain requests whose body took longer than `body-timeout` and `min-body-rate` allow.
    bodies_too_slow,
    /// HTTP answers that were not read for `idle-timeout`, or for the `stream-timeout` of a controller that is still making one.
    answers_unread,
    /// Connections of trusted proxies without a PROXY header, or with a wrong one.
    proxy_headers_refused,
    /// Requests that were no HTTP/1.1, or without a host, or whose path is no percent-encoded UTF-8.
    requests_malformed,
    /// TCP connections that began with the preface of HTTP/2.
    http2_refused,
    /// Plain requests whose client was gone before the end of their body.
    bodies_broken_off,
    /// Plain requests whose guest ended with a failure after the client had left, or had been given up: not the guest's fault.
    answers_abandoned,
    /// WebSockets closed because of a message over `max-message`, a frame over `max-frame`, or empty fragments without end.
    messages_too_large,
    /// WebSockets closed because a message had begun and took longer than `body-timeout` and `min-body-rate` allow.
    messages_too_slow,
    /// Handshakes refused, and WebSockets closed, because of something that RFC 6455 forbids.
    protocol_errors,
    /// Messages received from clients.
    messages_in,
    /// Messages written to clients.
    messages_out,
    /// Pings that the host sent by itself.
    pings_out,
    /// Connections closed because nothing was heard from the client for `idle-timeout`.
    idle_closed,
    /// Clients closed because their outbox was full.
    slow_clients,
    /// Events emitted by controllers.
    events_emitted,
    /// Events handed to connections, each connection counted.
    events_delivered,
    /// Events for one connection that had ended.
    events_undelivered,
    /// Events that did not fit into the mailbox of an instance, each mailbox counted.
    events_dropped,
    /// Events that other servers, or other programs, have emitted and this server has received.
    events_received,
    /// Events that were received before: a sender was not sure that Redis had them, or Redis had lost them meanwhile.
    events_repeated,
    /// Events sent to Redis again because it had lost them.
    events_sent_again,
    /// Events that are known to be lost on their way between servers.
    events_lost,
    /// Events not taken from a controller because the backlog for other servers was full.
    events_refused,
    /// Entries and publications in Redis that were not understood, and skipped.
    events_malformed,
    /// What was in Redis, was none of a server's doing, and would have stayed in the way, so that it was put right: streams whose ids
    /// were in the future, leases without an end, servers last heard of in the future.
    redis_mended,
    /// Entries in Redis that a newer version wrote, and that were skipped.
    events_newer,
    /// Notifications stored for identities.
    notifications,
    /// Notifications whose handler has returned and that are noted as handled, each connection counted.
    notifications_handled,
    /// Notifications dropped because the mailbox was full.
    notifications_dropped,
    /// Notifications set aside because handlers failed on them again and again.
    notifications_set_aside,
    /// Notifications from other programs for identities that do not exist.
    notifications_unknown,
    /// Connections that were pushed out of an identity by newer ones.
    identities_replaced,
    /// Registrations that the store had lost, or given up, and that were made anew.
    identities_regained,
    /// Messages published on topics.
    published,
    /// Messages that other servers, or other programs, have published on topics with subscribers here.
    publications_received,
    /// Messages on topics that other servers may not have got, because Redis was away.
    publications_lost,
    /// Client messages and events whose arguments did not fit a method.
    misfits,
    /// Instances that hold connections now.
    instances,
    /// Instances opened for connections since the start.
    instances_opened,
    /// Objects made anew from saved state.
    resumed,
    /// Instances whose objects were all saved after a long rest, so that their memory could be given back.
    hibernations,
    /// Guest calls, for sockets and HTTP, that trapped; those over a limit are not counted here.
    traps,
    /// Guest calls that went over `cpu-time`.
    cpu_exceeded,
    /// Guest calls that went over `call-time`, or over `stream-timeout`.
    time_exceeded,
    /// Memory or table growth refused to a guest.
    memory_refused,
    /// Times that a controller was backed off because it had failed again and again.
    backed_off,
    /// Connections and plain requests turned away because their controller was backed off.
    backed_off_refused,
    /// Times that a controller that was backed off worked again.
    recovered,
    /// What controllers asked for and no grant allows: requests to hosts, events, topics, identities.
    denied,
    /// Calls of controllers for keys and values.
    keyvalue_calls,
    /// HTTP requests that controllers have sent.
    outgoing_requests,
    /// HTTP requests and WebSockets of controllers to hosts that are granted and turned out to be at addresses that are not.
    outgoing_prohibited,
    /// WebSockets that controllers have to other servers now, those that are being tried included.
    outward,
    /// WebSockets that controllers have opened to other servers since the start.
    outward_opened,
    /// Attempts to open one that have failed.
    outward_failed,
    /// Services that run now.
    services,
    /// Services that were made anew after a failure.
    services_restarted,
    /// Lines a guest printed beyond what the log takes.
    log_lines_dropped,
    /// Plain HTTP requests answered by controllers.
    http_requests,
}

/// One counter.
#[derive(Debug, Default)]
pub(crate) struct Metric(AtomicU64);

impl Metric {
    pub(crate) fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    pub(crate) fn count(&self) {
        self.add(1);
    }

    pub(crate) fn uncount(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
