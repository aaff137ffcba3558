//! A request for a connection and the two answers to it, as both the HTTP side and the guest side know them.

use std::net::SocketAddr;

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Who has asked for it.
    Client,
    /// Who was asked for it.
    Server,
    /// The object of a service has none.
    Nobody,
}

/// The HTTP request that asks for a connection; if this side has asked, with the answer's header fields.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) peer: Peer,
    pub(crate) method: String,
    /// Still percent-encoded, without the query.
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    /// Decoded parameters in the order of the pattern.
    pub(crate) params: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) remote: Option<SocketAddr>,
    pub(crate) subprotocols: Vec<String>,
}

impl Request {
    /// What the object of a service is made with.
    pub(crate) fn of_nobody() -> Self {
        Request {
            peer: Peer::Nobody,
            method: String::new(),
            path: String::new(),
            query: None,
            params: Vec::new(),
            headers: Vec::new(),
            remote: None,
            subprotocols: Vec::new(),
        }
    }
}

/// The class wants the connection.
#[derive(Debug)]
pub(crate) struct Acceptance {
    pub(crate) subprotocol: Option<String>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

/// The class does not want the connection: the answer to give instead.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}
