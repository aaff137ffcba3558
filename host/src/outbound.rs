//! Connections outwards that a controller asks for: resolved, judged, dialled and, for https, secured. Which targets a
//! controller may name is `destination`'s matter; `http` speaks over what is opened here.
//!
//! **Invariant:** the address that was judged is the address that is dialled. A name is resolved once for a connection, here
//! and nowhere else, so that it can not be another one a moment later.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;

use crate::destination::{Destination, Host, Target};

mod http;

pub(crate) use self::http::{Answer, Broken, exchange};

/// Names of one controller that are being resolved at a time. The system's resolver takes a thread for each, for as long as
/// its servers do not answer, whoever still waits; others need threads, too.
const LOOKUPS: usize = 8;

/// Addresses of one name that are tried. Names with more are there, and the first few are as good.
const ADDRESSES: usize = 8;

/// The way out for one controller.
pub(crate) struct Outbound {
    destinations: Vec<Destination>,
    lookups: Arc<Semaphore>,
    look_up: LookUp,
}

/// Finds the addresses of a name; it may take its time, on a thread for that.
type LookUp = fn(&str) -> io::Result<Vec<IpAddr>>;

/// What is open: a socket, or TLS over one.
pub(crate) type Line = Box<dyn ReadWrite>;

/// Both directions of a connection.
pub(crate) trait ReadWrite: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> ReadWrite for S {}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotOpen {
    #[error("no destination of this controller is {0}")]
    NotGranted(Target),
    #[error("{target} is at {address}, which is not a public address and not listed")]
    Prohibited { target: Target, address: IpAddr },
    #[error("{0} has no address")]
    Unknown(Target),
    #[error("not connected within {0:?}")]
    Late(Duration),
    #[error("not connected: {0}")]
    Dial(io::Error),
    #[error("the certificate is not trusted: {0}")]
    Certificate(io::Error),
    #[error("no TLS: {0}")]
    Tls(io::Error),
}

impl Outbound {
    pub(crate) fn new(destinations: Vec<Destination>) -> Self {
        Outbound { destinations, lookups: Arc::new(Semaphore::new(LOOKUPS)), look_up: ask_system }
    }

    /// Whether the controller may ask for this target at all.
    pub(crate) fn names(&self, target: &Target) -> bool {
        self.destinations.iter().any(|destination| destination.names(target))
    }

    /// Opens a connection, and secures it if the scheme says so.
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, nothing stays open.
    pub(crate) async fn open(&self, target: &Target, within: Duration) -> Result<Line, NotOpen> {
        tokio::time::timeout(within, self.dial_and_secure(target)).await.map_err(|_elapsed| NotOpen::Late(within))?
    }

    async fn dial_and_secure(&self, target: &Target) -> Result<Line, NotOpen> {
        let stream = self.dial(target).await?;
        // Requests and answers are whole: nothing is gained by waiting for more of them.
        let _ = stream.set_nodelay(true);
        if target.scheme.is_secure() {
            return Ok(Box::new(secure(stream, &target.host).await?));
        }
        Ok(Box::new(stream))
    }

    async fn dial(&self, target: &Target) -> Result<TcpStream, NotOpen> {
        let entries: Vec<_> = self.destinations.iter().filter(|entry| entry.names(target)).collect();
        if entries.is_empty() {
            return Err(NotOpen::NotGranted(target.clone()));
        }
        let found = self.resolve(target).await?;
        let Some(first) = found.first().copied() else { return Err(NotOpen::Unknown(target.clone())) };
        let allowed = found.into_iter().filter(|address| entries.iter().any(|entry| entry.allows(*address)));
        let mut failed = None;
        for address in allowed.take(ADDRESSES) {
            match TcpStream::connect(SocketAddr::new(address, target.port)).await {
                Ok(stream) => return Ok(stream),
                Err(error) => failed = Some(error),
            }
        }
        Err(match failed {
            Some(error) => NotOpen::Dial(error),
            None => NotOpen::Prohibited { target: target.clone(), address: first },
        })
    }

    async fn resolve(&self, target: &Target) -> Result<Vec<IpAddr>, NotOpen> {
        let name = match &target.host {
            Host::Address(address) => return Ok(vec![*address]),
            Host::Name(name) => name.clone(),
        };
        let unknown = || NotOpen::Unknown(target.clone());
        let turn = Arc::clone(&self.lookups).acquire_owned().await.map_err(|_closed| unknown())?;
        let look_up = self.look_up;
        // The turn goes along: it is over when the resolver has come back, not when nobody waits any more.
        let looking = tokio::task::spawn_blocking(move || {
            let found = look_up(&name);
            drop(turn);
            found
        });
        looking.await.map_err(|_panic| unknown())?.map_err(|_error| unknown())
    }
}

fn ask_system(name: &str) -> io::Result<Vec<IpAddr>> {
    // The port is of no matter for it.
    (name, 0).to_socket_addrs().map(|found| found.map(|found| found.ip()).collect())
}

/// Whether what is listed can only be spoken to with certificates to trust.
pub(crate) fn needs_trust(destination: &Destination) -> bool {
    destination.scheme().is_secure()
}

/// Reads the system's root certificates, which takes some milliseconds, once.
///
/// # Errors
///
/// What is wrong if there are none: no https or wss target can be trusted then.
pub(crate) fn trust() -> Result<Arc<ClientConfig>, String> {
    static TRUST: OnceLock<Result<Arc<ClientConfig>, String>> = OnceLock::new();
    TRUST.get_or_init(read_trust).clone()
}

fn read_trust() -> Result<Arc<ClientConfig>, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _ignored) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let cause = found.errors.first().map_or_else(|| "none are installed".to_owned(), ToString::to_string);
        return Err(format!("the system has no root certificates: {cause}"));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = builder.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

async fn secure(stream: TcpStream, host: &Host) -> Result<tokio_rustls::client::TlsStream<TcpStream>, NotOpen> {
    let name = match host {
        Host::Address(address) => ServerName::from(*address),
        Host::Name(name) => {
            ServerName::try_from(name.clone()).map_err(|error| NotOpen::Tls(io::Error::other(error)))?
        }
    };
    let trust = trust().map_err(|wrong| NotOpen::Certificate(io::Error::other(wrong)))?;
    TlsConnector::from(trust).connect(name, stream).await.map_err(|error| {
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
        match cause {
            Some(rustls::Error::InvalidCertificate(_)) => NotOpen::Certificate(error),
            _ => NotOpen::Tls(error),
        }
    })
}

#[cfg(test)]
mod tests;
