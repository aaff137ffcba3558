//! What one controller may use: limits with their defaults, and its share of what the server has. Each documents what happens
//! at it.

use std::time::Duration;

use super::{Config, ControllerConfig, KIB, MIB};

/// What one controller may use.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GuestLimits {
    /// Connections that share one instance; 1 gives every connection a sandbox of its own.
    pub connections_per_instance: usize,
    /// Memory of one instance, in bytes. More is refused to the guest, which usually ends in its own abort.
    pub memory: usize,
    /// Entries of all tables of one instance together. More are refused to the guest; a component that begins with more
    /// does not start.
    pub table_elements: usize,
    /// The stack of a call, in bytes. A deeper recursion ends the call with a trap.
    pub stack: usize,
    /// CPU time of one call: one message, one event for one connection. A call that needs more is ended.
    pub cpu_time: Duration,
    /// Wall-clock time of one call. A call that takes longer is ended.
    pub call_time: Duration,
    /// How long the answer to a plain request may stand still once it has begun: a stream of events has a heartbeat more
    /// often. One that is silent for longer is ended; where the client does not read, it is the client's matter.
    pub stream_timeout: Duration,
    /// How long all connections of an instance have to be idle until their objects are saved and its memory is given back,
    /// if its class can be resumed.
    pub hibernate_after: Duration,
    /// The largest saved state of one connection, in bytes. `save` answers `too-large`; an object that suspends to more is
    /// not put to sleep.
    pub max_state: usize,
    /// Timers of one connection. At more `after` and `every` answer `unavailable`.
    pub max_timers: usize,
    /// What its bucket of keys and values may hold, in bytes. At more writing answers `unavailable`.
    pub max_bucket: usize,
    /// What the identities that it has registered and their mailboxes may cost together, in bytes; each costs 256 by itself,
    /// and 64 a notification. At more registering a new one and notifying answer `unavailable`.
    pub max_mailboxes: usize,
    /// WebSockets that it has open to other servers, those that are being tried included. At more the guest gets
    /// `unavailable`.
    pub max_outward: usize,
    /// Requests of one instance to other servers that are under way, the bodies of their answers included. Each is a socket,
    /// and up to 128 KiB of buffers. At more the guest gets `connection-limit-reached`.
    pub max_outgoing: usize,
    /// Connections of one controller; none: half of `max_connections`. At more a new one gets 503.
    pub connections: Option<usize>,
    /// Instances for connections of one controller; none: half of `max_instances`. At more a new connection gets 503, and
    /// one that has lost its instance 1013.
    pub instances: Option<usize>,
    /// Plain requests that one controller answers at a time; none: half of `max_requests`. More wait, and get 503 after
    /// `call_time`.
    pub requests: Option<usize>,
    /// Handles that an instance may hold beside those of its connections: streams, pollables, header fields. Some of them
    /// have buffers in the host. The call that asks for one more ends with a trap.
    pub max_handles: usize,
    /// Bytes that a guest may hand to the host in one call of a host function, in bytes; none: 16 MiB, or four of the largest
    /// messages. More ends the guest's call with a trap.
    pub max_handover: Option<usize>,
    /// Events, notifications, publications and registrations of one controller in a second, of all its connections together. At more the
    /// guest gets `unavailable`.
    pub event_rate: usize,
    /// Calls for keys and values, questions whether an identity is registered, and ends of registrations and subscriptions and
    /// their beginnings, of one controller in a second. Redis runs some 50,000 of them on its one core, and one controller is
    /// to leave room for the others. At more the guest gets `unavailable`.
    pub store_rate: usize,
    /// Lines in the log in a second that one controller causes. More are counted and not logged.
    pub log_rate: usize,
    /// The size of a component's file, in bytes: compiling takes memory and time many times that. A larger one is not
    /// served.
    pub max_component: usize,
    /// How long a component may take to compile. One that takes longer is not served.
    pub compile_time: Duration,
    /// Failures within ten seconds after which a controller is backed off, if they are more than the calls that went well
    /// meanwhile: new connections and plain requests get 503 for a while.
    pub max_failures: usize,
}

impl Default for GuestLimits {
    fn default() -> Self {
        GuestLimits {
            connections_per_instance: 256,
            memory: 64 * MIB,
            table_elements: 64 * 1024,
            stack: 512 * KIB,
            cpu_time: Duration::from_millis(100),
            call_time: Duration::from_secs(5),
            stream_timeout: Duration::from_secs(60),
            hibernate_after: Duration::from_secs(10 * 60),
            max_state: 64 * KIB,
            max_timers: 64,
            max_bucket: 64 * MIB,
            max_mailboxes: 256 * MIB,
            max_outward: 64,
            max_outgoing: 16,
            connections: None,
            instances: None,
            requests: None,
            max_handles: 256,
            max_handover: None,
            event_rate: 20_000,
            store_rate: 10_000,
            log_rate: 100,
            max_component: 64 * MIB,
            compile_time: Duration::from_secs(60),
            max_failures: 10,
        }
    }
}

impl GuestLimits {
    /// The limits of one controller.
    pub(crate) fn with(&self, own: &ControllerConfig) -> GuestLimits {
        GuestLimits {
            connections_per_instance: own.connections_per_instance.unwrap_or(self.connections_per_instance).max(1),
            memory: own.memory.unwrap_or(self.memory),
            table_elements: own.table_elements.unwrap_or(self.table_elements),
            stack: own.stack.unwrap_or(self.stack),
            cpu_time: own.cpu_time.unwrap_or(self.cpu_time),
            call_time: own.call_time.unwrap_or(self.call_time),
            stream_timeout: own.stream_timeout.unwrap_or(self.stream_timeout),
            hibernate_after: own.hibernate_after.unwrap_or(self.hibernate_after),
            max_state: own.max_state.unwrap_or(self.max_state),
            max_timers: own.max_timers.unwrap_or(self.max_timers),
            max_bucket: own.max_bucket.unwrap_or(self.max_bucket),
            max_mailboxes: own.max_mailboxes.unwrap_or(self.max_mailboxes),
            max_outward: own.max_outward.unwrap_or(self.max_outward),
            max_outgoing: own.max_outgoing.unwrap_or(self.max_outgoing),
            connections: own.connections.or(self.connections),
            instances: own.instances.or(self.instances),
            requests: own.requests.or(self.requests),
            max_handles: own.max_handles.unwrap_or(self.max_handles),
            max_handover: own.max_handover.or(self.max_handover),
            event_rate: own.event_rate.unwrap_or(self.event_rate),
            store_rate: own.store_rate.unwrap_or(self.store_rate),
            log_rate: own.log_rate.unwrap_or(self.log_rate),
            max_component: own.max_component.unwrap_or(self.max_component),
            compile_time: own.compile_time.unwrap_or(self.compile_time),
            max_failures: own.max_failures.unwrap_or(self.max_failures),
        }
    }
}

/// What one controller may have of what the server has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shares {
    pub(crate) connections: usize,
    pub(crate) instances: usize,
    pub(crate) requests: usize,
    /// What may wait for one of its clients.
    pub(crate) outbox: usize,
    /// Topics of one of its connections.
    pub(crate) topics: usize,
    /// Bytes that a guest may hand over at once.
    pub(crate) handover: usize,
}

/// A guest hands over its largest message or event a few times at the most, and small things beside it.
const HANDOVER: usize = 16 * MIB;

impl Config {
    /// The share of a controller with these settings of its own.
    pub(crate) fn shares(&self, own: &ControllerConfig) -> Shares {
        let limits = self.guest.with(own);
        let half = |all: usize| all.div_ceil(2);
        // Any message that a client may send can be echoed to it.
        let outbox = own.outbox.unwrap_or(self.outbox).max(self.max_message);
        Shares {
            connections: limits.connections.unwrap_or(half(self.max_connections)),
            instances: limits.instances.unwrap_or(half(self.max_instances as usize)),
            requests: limits.requests.unwrap_or(half(self.max_requests as usize)),
            outbox,
            topics: own.max_topics.unwrap_or(self.max_topics),
            handover: limits.max_handover.unwrap_or(outbox.max(self.max_event).saturating_mul(4).max(HANDOVER)),
        }
    }

    /// Plain requests of one client address that are answered at a time.
    pub(crate) fn requests_per_address(&self) -> usize {
        self.max_requests_per_address.unwrap_or((self.max_requests as usize).div_ceil(4))
    }

    /// The limits of everybody, and of each controller that has some of its own.
    pub(crate) fn all_limits(&self) -> impl Iterator<Item = GuestLimits> {
        std::iter::once(self.guest.clone()).chain(self.overrides.values().map(|own| self.guest.with(own)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_controller_has_half_of_the_server_unless_it_is_told_otherwise() {
        let mut config = Config { max_connections: 7, max_instances: 1, ..Config::default() };
        let shares = config.shares(&ControllerConfig::default());
        assert_eq!((shares.connections, shares.instances, shares.requests), (4, 1, 128));
        config.guest.connections = Some(5);
        let own = ControllerConfig { instances: Some(3), outbox: Some(2 * MIB), ..ControllerConfig::default() };
        let shares = config.shares(&own);
        assert_eq!((shares.connections, shares.instances, shares.outbox), (5, 3, 2 * MIB));
    }

    #[test]
    fn a_message_that_may_come_fits_into_the_outbox() {
        let own = ControllerConfig { outbox: Some(1), ..ControllerConfig::default() };
        assert_eq!(Config::default().shares(&own).outbox, MIB);
        let config = Config { max_message: 32 * MIB, ..Config::default() };
        assert_eq!(config.shares(&own).handover, 128 * MIB);
    }
}
