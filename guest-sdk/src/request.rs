//! The HTTP request that asks for a connection, and the two answers to it.

use std::borrow::Cow;

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A client, which has asked for the connection.
    Client,
    /// A server, which the controller has [connected](crate::Socket::connect) to.
    Server,
    /// Nobody: it is the object of a service, `#[controller(service)]`.
    Nobody,
}

/// The HTTP request that asks for the connection.
///
/// Where the [peer](Self::peer) is a server it is the one that the host has sent: path and query are the URL's, the parameters
/// those of [`ConnectOptions::param`](crate::ConnectOptions::param), the header fields those of the server's answer, and
/// [`subprotocols`](Self::subprotocols) has the one that it has chosen, or none. Where it is nobody, all is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub(crate) peer: Peer,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) remote: Option<String>,
    pub(crate) subprotocols: Vec<String>,
}

impl Request {
    /// A request for a path with its query, for tests; the host makes the real ones.
    pub fn get(target: &str) -> Self {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        Self {
            peer: Peer::Client,
            method: "GET".to_owned(),
            path: path.to_owned(),
            query,
            params: Vec::new(),
            headers: Vec::new(),
            remote: None,
            subprotocols: Vec::new(),
        }
    }

    /// What the object of a service is made with.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn of_nobody() -> Self {
        Self { peer: Peer::Nobody, method: String::new(), ..Self::get("") }
    }

    /// Adds a header field, for tests.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// Offers a subprotocol, for tests.
    #[must_use]
    pub fn with_subprotocol(mut self, subprotocol: impl Into<String>) -> Self {
        self.subprotocols.push(subprotocol.into());
        self
    }

    /// Who is at the other end.
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// `GET`, for every connection over HTTP/1.1.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path as the client sent it, still percent-encoded, without the query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What follows the first `?`, still percent-encoded; `None` where there is no `?`.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// The first field `name` of the query, decoded as browsers encode forms; `None` if it is not there.
    pub fn query_param(&self, name: &str) -> Option<Cow<'_, str>> {
        let query = self.query.as_deref()?;
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The parameter `name` of the controller's path pattern, decoded; `None` if the pattern has no such parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All parameters of the path pattern, in its order.
    pub fn params(&self) -> &[(String, String)] {
        &self.params
    }

    /// The first header field `name` (in lower case) that is text; `None` if there is none.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().filter(|(key, _)| key == name).find_map(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// All header fields in the order of arrival, names in lower case.
    pub fn headers(&self) -> &[(String, Vec<u8>)] {
        &self.headers
    }

    /// `address:port` of the client as the host saw it; `None` where the transport has no such address.
    pub fn remote(&self) -> Option<&str> {
        self.remote.as_deref()
    }

    /// The subprotocols that the client offers, in its order of preference: tokens (RFC 9110, section 5.6.2), because the host
    /// answers 400 to anything else.
    pub fn subprotocols(&self) -> &[String] {
        &self.subprotocols
    }
}

impl From<&str> for Request {
    fn from(target: &str) -> Self {
        Self::get(target)
    }
}

/// The yes to a [`Request`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acceptance {
    pub(crate) subprotocol: Option<String>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

impl Acceptance {
    /// A plain yes, without subprotocol and header fields of its own. A browser that has offered subprotocols gives up a connection
    /// for which none is chosen.
    pub fn new() -> Self {
        Self::default()
    }

    /// Chooses a subprotocol. It must be one of [`Request::subprotocols`]; the host answers 500 to another one.
    #[must_use]
    pub fn with_subprotocol(mut self, subprotocol: impl Into<String>) -> Self {
        self.subprotocol = Some(subprotocol.into());
        self
    }

    /// Adds a header field to the 101 answer; the fields of the handshake itself are the host's.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The subprotocol that was chosen.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// The header fields that were added.
    pub fn headers(&self) -> &[(String, Vec<u8>)] {
        &self.headers
    }
}

/// The no to a [`Request`]: the HTTP answer that the client gets instead of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Refusal {
    /// An answer with this status, 300 to 599, and body. Text that tells a person what to do differently is a good body.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// Adds a header field to the answer.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The status of the answer.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The header fields of the answer.
    pub fn headers(&self) -> &[(String, Vec<u8>)] {
        &self.headers
    }

    /// The body of the answer.
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}
