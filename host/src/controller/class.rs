//! One mounted controller: the compiled component, how it may be entered, and its limits.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime_wasi_http::p2::bindings::ProxyPre;

use super::bindings::GrantedWorldPre;
use super::breaker::Breaker;
use super::dial::Outward;
use super::environment::Environment;
use super::grants::Granted;
use super::output::Output;
use super::placement::Placement;
use super::plain::WaitingInstances;
use super::state::GuestState;
use crate::config::{GuestLimits, Shares};
use crate::identities::Postman;
use crate::ids::ConnectionId;
use crate::limit::{Limit, LimitHits};
use crate::rate::{Admitted, RateLimit, Seldom};
use crate::store::Owner;
use crate::text::cut;

/// A controller class, ready to be instantiated.
pub(crate) struct Class {
    pub(crate) name: Arc<str>,
    /// None: it takes no clients.
    pub(crate) path: Option<String>,
    /// Whether it has an object without a client.
    pub(crate) service: bool,
    /// Origins that may connect beside the request's own host.
    pub(crate) origins: Vec<String>,
    pub(crate) environment: Arc<Environment>,
    /// Whether its objects can be made anew from saved state.
    pub(super) resumable: bool,
    pub(super) limits: GuestLimits,
    pub(super) shares: Shares,
    pub(super) hits: Arc<LimitHits>,
    pub(super) breaker: Breaker,
    /// One permit an instance of its own for connections, and one a plain request, beside those of the environment.
    pub(super) slots: Arc<Semaphore>,
    pub(super) request_slots: Arc<Semaphore>,
    pub(super) emitted: RateLimit,
    /// Lines about clients whose subprotocols were not chosen.
    pub(super) none_chosen: Seldom,
    /// Of the store and of the table of topics.
    pub(super) asked: RateLimit,
    pub(super) postman: Arc<Postman>,
    pub(super) engine: Engine,
    pub(super) granted: Granted,
    pub(super) output: Arc<Output>,
    pub(super) sockets: Option<GrantedWorldPre<GuestState>>,
    pub(super) http: Option<ProxyPre<GuestState>>,
    pub(super) waiting_instances: WaitingInstances,
    pub(super) placement: Placement,
    pub(super) outward: Outward,
}

impl Class {
    /// Whether it takes WebSocket connections.
    pub(crate) fn has_sockets(&self) -> bool {
        self.sockets.is_some()
    }

    /// How long a call into it may take.
    pub(crate) fn call_time(&self) -> Duration {
        self.limits.call_time
    }

    /// Whether newcomers are let in, or when they may come back: a controller that fails again and again is left alone.
    pub(crate) fn admit(&self) -> Result<(), Duration> {
        self.breaker.admit()
    }

    /// What may wait for one of its clients, in bytes.
    pub(crate) fn outbox_limit(&self) -> usize {
        self.shares.outbox
    }

    /// Topics of one of its connections.
    pub(crate) fn topics_limit(&self) -> usize {
        self.shares.topics
    }

    /// One of its clients was too slow for what it was sent.
    pub(crate) fn outbox_was_full(&self) {
        let limit = self.shares.outbox;
        self.hits.hit(Limit::Outbox, format_args!("over {limit} bytes waited for a client: it was closed as too slow"));
    }

    /// Whether it may emit, notify or publish once more in this second; if not, what to tell the guest.
    pub(super) fn may_emit(&self) -> Result<(), String> {
        if self.emitted.admit() == Admitted::Yes {
            return Ok(());
        }
        let limit = self.limits.event_rate;
        self.hits.hit(Limit::EventRate, format_args!("over {limit} events in this second: the others are refused"));
        Err(format!("the controller has emitted its {limit} events of this second"))
    }

    /// Whether it may ask the store, or subscribe, once more in this second; if not, what to tell the guest.
    pub(super) fn may_ask(&self) -> Result<(), String> {
        if self.asked.admit() == Admitted::Yes {
            return Ok(());
        }
        let limit = self.limits.store_rate;
        self.hits.hit(Limit::StoreRate, format_args!("over {limit} calls in this second: the others are refused"));
        Err(format!(
            "the controller has made its {limit} calls of this second for values, identities and subscriptions"
        ))
    }

    /// Who pays for the identities that it registers.
    pub(super) fn owner(&self) -> Owner {
        Owner { name: Arc::clone(&self.name), limit: self.limits.max_mailboxes as u64 }
    }

    /// A guest of it has asked for what it may not have: counted, and logged.
    pub(super) fn denied(&self, connection: Option<ConnectionId>, what: &str) {
        self.environment.metrics.denied.count();
        if self.output.admit() {
            tracing::warn!(controller = %self.name, connection = connection.map(tracing::field::display), "denied: {what}");
        }
    }

    /// It has accepted a client with none of the subprotocols that it offers, which other clients may put up with.
    pub(crate) fn chose_no_subprotocol(&self, offered: &[String]) {
        if let Some(again) = self.none_chosen.admit() {
            let offered = offered.join(", ");
            let offered = cut(&offered, 200);
            let what = "a client was accepted with none of the subprotocols that it offers";
            tracing::warn!(controller = %self.name, "{what} ({offered}): a browser gives such a connection up{again}");
        }
    }

    /// Whether it answers plain HTTP requests.
    pub(crate) fn has_http(&self) -> bool {
        self.http.is_some()
    }
}
