//! One mounted controller: the compiled component, how it may be entered, and its limits.

use std::sync::Arc;
use std::time::Duration;

use wasmtime_wasi_http::p2::bindings::ProxyPre;

use super::bindings::ControllerWorldPre;
use super::dial::Outward;
use super::environment::Environment;
use super::grants::Granted;
use super::output::Output;
use super::placement::Placement;
use super::state::GuestState;
use crate::config::GuestLimits;
use crate::ids::ConnectionId;

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
    pub(super) granted: Granted,
    pub(super) output: Arc<Output>,
    pub(super) sockets: Option<ControllerWorldPre<GuestState>>,
    pub(super) http: Option<ProxyPre<GuestState>>,
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

    /// A guest of it has asked for what it may not have: counted, and logged.
    pub(super) fn denied(&self, connection: Option<ConnectionId>, what: &str) {
        self.environment.metrics.denied.count();
        if self.output.admit() {
            tracing::warn!(controller = %self.name, connection = connection.map(tracing::field::display), "denied: {what}");
        }
    }

    /// Whether it answers plain HTTP requests.
    pub(crate) fn has_http(&self) -> bool {
        self.http.is_some()
    }
}
