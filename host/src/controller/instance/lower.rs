//! Requests and answers between the host's form and the contract's.

use crate::controller::bindings::lakou::controller::types;
use crate::request::{Acceptance, Peer, Refusal, Request};

/// A request, borrowed piece by piece in the shape that the contract wants.
pub(super) struct Lowered<'r> {
    request: &'r Request,
    params: Vec<(&'r str, &'r str)>,
    headers: Vec<(&'r str, &'r [u8])>,
    subprotocols: Vec<&'r str>,
    remote: Option<String>,
}

impl<'r> Lowered<'r> {
    pub(super) fn new(request: &'r Request) -> Self {
        Lowered {
            request,
            params: request.params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            headers: request.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect(),
            subprotocols: request.subprotocols.iter().map(String::as_str).collect(),
            remote: request.remote.map(|address| address.to_string()),
        }
    }

    pub(super) fn request(&self) -> types::Request<'_> {
        types::Request {
            peer: match self.request.peer {
                Peer::Client => types::Peer::Client,
                Peer::Server => types::Peer::Server,
                Peer::Nobody => types::Peer::Nobody,
            },
            method: &self.request.method,
            path: &self.request.path,
            query: self.request.query.as_deref(),
            params: &self.params,
            headers: &self.headers,
            remote: self.remote.as_deref(),
            subprotocols: &self.subprotocols,
        }
    }
}

impl From<types::Acceptance> for Acceptance {
    fn from(acceptance: types::Acceptance) -> Self {
        Acceptance { subprotocol: acceptance.subprotocol, headers: acceptance.headers }
    }
}

impl From<types::Refusal> for Refusal {
    fn from(refusal: types::Refusal) -> Self {
        Refusal { status: refusal.status, headers: refusal.headers, body: refusal.body }
    }
}
