//! How a connection to a server elsewhere is opened: the options. The call is [`Socket::connect`](crate::Socket::connect).

/// What is said in the handshake, what the new object is told, and whether the host connects again.
///
/// ```
/// # use lakou_sdk::ConnectOptions;
/// let options = ConnectOptions::new().header("authorization", "Bearer secret").subprotocol("v2.prices").reconnect();
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectOptions {
    pub(crate) subprotocols: Vec<String>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) reconnect: bool,
}

impl ConnectOptions {
    /// No header fields, subprotocols and parameters; once.
    pub fn new() -> Self {
        Self::default()
    }

    /// Offers a subprotocol, behind those before it. A server that chooses one that was not offered does not get the connection.
    #[must_use]
    pub fn subprotocol(mut self, subprotocol: impl Into<String>) -> Self {
        self.subprotocols.push(subprotocol.into());
        self
    }

    /// Adds a header field to the handshake. Those of the handshake itself are the host's.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Hands something to the new object: it is its [`Request::param`](crate::Request::param).
    #[must_use]
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }

    /// The host connects again after each failure and each end, with longer and longer waits, half a minute at most.
    #[must_use]
    pub fn reconnect(mut self) -> Self {
        self.reconnect = true;
        self
    }
}
