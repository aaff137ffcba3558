//! The table of a controller's limits: name, type, default, bounds, what each is, and what happens at it. The types `GuestLimits`
//! and `ControllerConfig` are made of it, as well as what `settings` makes of every table.

use std::time::Duration;

use super::form::{Count, Form, Or, Size, Time};
use super::settings::{MILLISECOND, Setting};
use super::{GIB, Grants, KIB, MIB};

macro_rules! limits {
    (limits {$(
        $(#[doc = $doc:literal])+
        $field:ident: $type:ty = $default:expr, $name:literal $form:expr, $at:literal;
    )+}
    shares {$(
        $(#[doc = $share_doc:literal])+
        $share:ident, $share_name:literal $share_form:expr, $share_at:literal;
    )+}) => {
        /// What one controller may use.
        #[derive(Debug, Clone)]
        #[non_exhaustive]
        pub struct GuestLimits {
            $($(#[doc = $doc])+ #[doc = concat!("\nAt it: ", $at, ".")] pub $field: $type,)+
            $($(#[doc = $share_doc])+ #[doc = concat!("\nAt it: ", $share_at, ".")] pub $share: Option<usize>,)+
        }

        /// Settings of one controller; none: as for all controllers.
        #[derive(Debug, Clone, Default)]
        #[non_exhaustive]
        pub struct ControllerConfig {
            /// The path pattern to mount it on, instead of its own.
            pub path: Option<String>,
            /// Instead of [`Config::origins`](super::Config::origins).
            pub origins: Option<Vec<String>>,
            /// Instead of [`Config::outbox`](super::Config::outbox).
            pub outbox: Option<usize>,
            /// Instead of [`Config::max_topics`](super::Config::max_topics).
            pub max_topics: Option<usize>,
            /// Whether it runs as a service, one object a server without a client, instead of what the component says itself.
            pub service: Option<bool>,
            /// What it may ask of the host.
            pub grants: Grants,
            $(#[doc = concat!("Instead of [`GuestLimits::", stringify!($field), "`].")] pub $field: Option<$type>,)+
            $(#[doc = concat!("Instead of [`GuestLimits::", stringify!($share), "`].")] pub $share: Option<usize>,)+
        }

        impl Default for GuestLimits {
            fn default() -> Self {
                GuestLimits { $($field: $default,)+ $($share: None,)+ }
            }
        }

        impl GuestLimits {
            /// The limits of one controller.
            pub(crate) fn with(&self, own: &ControllerConfig) -> GuestLimits {
                let mut limits = GuestLimits {
                    $($field: own.$field.unwrap_or(self.$field),)+
                    $($share: own.$share.or(self.$share),)+
                };
                // A program that runs the host as a library is held to no bounds.
                limits.connections_per_instance = limits.connections_per_instance.max(1);
                limits
            }
        }

        /// Every setting of the table.
        pub(super) const SETTINGS: &[Setting] = &[
            $(limits!(@setting [$($doc),+] $field: $type, $type, $name $form, $at, Some),)+
            $(limits!(@setting [$($share_doc),+] $share: usize, Option<usize>, $share_name $share_form, $share_at,
                std::convert::identity),)+
        ];
    };
    (@setting [$($doc:literal),+] $field:ident: $bare:ty, $type:ty, $name:literal $form:expr, $at:literal, $own:path) => {
        Setting {
            name: $name,
            doc: &[$($doc),+],
            at: $at,
            value_name: || Form::<$type>::value_name(&$form),
            allowed: || Form::<$type>::allowed(&$form),
            default: |config| Form::<$type>::show(&$form, &config.guest.$field),
            set: |config, given| {
                config.guest.$field = Form::<$type>::read(&$form, given)?;
                Ok(())
            },
            own: Some(|controller, given| {
                controller.$field = $own(Form::<$type>::read(&$form, given)?);
                Ok(())
            }),
        }
    };
}

/// Connections of one instance: beyond some hundreds sharing saves nothing more, and a failure loses them all.
const MOST_CONNECTIONS: usize = 10_000;
/// The smallest memory that a guest can start with: a few pages of 64 KiB.
const LEAST_MEMORY: usize = 256 * KIB;
/// A wasm memory ends at 4 GiB, and the pool reserves that much address space for each.
const MOST_MEMORY: usize = 4 * GIB - 64 * KIB;
/// The pool reserves room for so many entries of every table, so a setting far beyond what is used costs all.
const MOST_ELEMENTS: usize = 1024 * 1024;
/// The smallest stack that a toolchain's own start gets by with.
const LEAST_STACK: usize = 64 * KIB;
/// Every instance reserves address space for a stack.
const MOST_STACK: usize = 16 * MIB;
/// Beyond some thousands nothing is gained.
const MOST_REQUESTS: usize = 1_000_000;
/// A second of the log of one controller.
const MOST_LINES: usize = 1_000_000;
const MOST_EVENTS: usize = 100_000_000;
const MOST_FAILURES: usize = 1_000_000;

limits! {
    limits {
        /// Connections that share one instance; 1 gives every connection a sandbox of its own.
        connections_per_instance: usize = 256, "connections-per-instance" Count(MOST_CONNECTIONS),
            "the next one goes to another instance";
        /// Plain requests that one instance answers, one at a time, before it is thrown away.
        /// 1: nothing of one request is there for the next. More is quicker, for controllers whose requests may see what an
        /// earlier one has left behind. At most 64 instances of all controllers wait for another request, for up to ten seconds.
        requests_per_instance: usize = 1, "requests-per-instance" Count(MOST_REQUESTS),
            "the next one goes to another instance";
        /// Memory of one instance.
        memory: usize = 64 * MIB, "memory" Size(LEAST_MEMORY, MOST_MEMORY),
            "the growth is refused, which usually ends in the guest's own abort";
        /// Entries of all tables of one instance together.
        table_elements: usize = 64 * 1024, "table-elements" Count(MOST_ELEMENTS),
            "the growth is refused; a component that begins with more does not start";
        /// The stack of a call.
        stack: usize = 512 * KIB, "stack" Size(LEAST_STACK, MOST_STACK), "the call is ended: 1011, or 500";
        /// CPU time of one call: one message, one event for one connection.
        cpu_time: Duration = Duration::from_millis(100), "cpu-time" Time(MILLISECOND), "the call is ended: 1011, or 500";
        /// Time of one call in all.
        call_time: Duration = Duration::from_secs(5), "call-time" Time(MILLISECOND), "the call is ended: 1011, or 500";
        /// How long the answer to a plain request may stand still once it has begun.
        /// A stream of events has a heartbeat more often. Where the client does not read, it is the client's matter.
        stream_timeout: Duration = Duration::from_secs(60), "stream-timeout" Time(MILLISECOND), "it is cut off";
        /// How long all connections of an instance have to be idle until their objects are saved and its memory is given back.
        /// Only if its class can be resumed.
        hibernate_after: Duration = Duration::from_secs(10 * 60), "hibernate-after" Time(MILLISECOND), "the instance sleeps";
        /// The largest saved state of one connection.
        max_state: usize = 64 * KIB, "max-state" Size(1, 16 * MIB),
            "`too-large`; an object that suspends to more is not put to sleep";
        /// Timers of one connection.
        max_timers: usize = 64, "max-timers" Count(10_000), "`unavailable`";
        /// What the bucket of keys and values of a controller holds.
        max_bucket: usize = 64 * MIB, "max-bucket" Size(KIB, GIB), "writing is `unavailable`";
        /// What the identities of one controller and their mailboxes cost together.
        /// Each identity costs 256 bytes by itself, and a notification 64.
        max_mailboxes: usize = 256 * MIB, "max-mailboxes" Size(KIB, 1024 * GIB),
            "registering a new one and notifying are `unavailable`";
        /// WebSockets that one controller has open to other servers, those that are being tried included.
        max_outward: usize = 64, "max-outward" Count(100_000), "`unavailable`";
        /// Requests of one instance to other servers that are under way, the bodies of their answers included.
        /// Each is a socket, and up to 128 KiB of buffers.
        max_outgoing: usize = 16, "max-outgoing" Count(10_000), "the request has the error `connection-limit-reached`";
        /// Handles that an instance may hold beside those of its connections: streams, pollables, header fields.
        /// Some of them have buffers in the host.
        max_handles: usize = 256, "max-handles" Count(1_000_000), "the call is ended: 1011, or 500";
        /// Events, notifications, publications and registrations of one controller in a second, of all its connections together.
        event_rate: usize = 20_000, "event-rate" Count(MOST_EVENTS), "`unavailable`";
        /// Calls of one controller for values, identities and subscriptions in a second.
        /// Redis runs some 50,000 of them on its one core, and one controller is to leave room for the others.
        store_rate: usize = 10_000, "store-rate" Count(MOST_EVENTS), "`unavailable`";
        /// Lines in the log in a second that one controller causes.
        log_rate: usize = 100, "log-rate" Count(MOST_LINES), "they are counted and not logged";
        /// The size of a component's file.
        /// Compiling takes memory and time many times that.
        max_component: usize = 64 * MIB, "max-component" Size(1, GIB), "it is not served";
        /// How long a component may take to compile.
        compile_time: Duration = Duration::from_secs(60), "compile-time" Time(MILLISECOND), "it is not served";
        /// Failures within ten seconds that back a controller off, if they are more than the calls that went well meanwhile.
        max_failures: usize = 10, "max-failures" Count(MOST_FAILURES),
            "newcomers get 503 with `retry-after`, for 1 second to 1 minute";
    }
    shares {
        /// Connections of one controller.
        connections, "connections-per-controller" Or(Count(10_000_000), "half of max-connections"), "503";
        /// Instances of one controller for connections.
        instances, "instances-per-controller" Or(Count(10_000), "half of max-instances"),
            "503; 1013 for a connection that has lost its own";
        /// Plain requests that one controller answers at a time.
        requests, "requests-per-controller" Or(Count(5_000), "half of max-requests"), "they wait; 503 after `call-time`";
        /// Bytes that a controller may hand to the host in one call of a host function.
        max_handover, "max-handover" Or(Size(KIB, GIB), "16MiB, or four of the largest messages"),
            "the call is ended: 1011, or 500";
    }
}
