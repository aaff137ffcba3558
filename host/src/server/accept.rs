//! The listener: each client is given its places, among all connections and among those of its address, or is turned away
//! before anything is asked of a controller.

use std::fs::File;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::file_limit::Places;
use super::{proxied, serve};
use crate::clients::{Clients, Limit, Visitor};
use crate::http::{Client, Service};
use crate::rate::Seldom;
use crate::shutdown::Alive;

/// Connections that the system completes for us while we are busy; a herd that comes back after a deploy waits here.
const BACKLOG: u32 = 4096;

/// How long to leave the listener alone when the system has no file left for another connection.
const NO_FILES_PAUSE: Duration = Duration::from_millis(100);

/// How many clients may be in the middle of being turned away; those beyond hear nothing.
const FAREWELLS: usize = 1024;

/// How much is read of what a client says that is turned away.
const DISCARD: u64 = 64 * 1024;

/// What a client over `max-connections` gets, without becoming a connection.
const SERVER_FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\n\
    content-type: text/plain; charset=utf-8\r\ncontent-length: 19\r\n\r\nthe server is full\n";

/// What a client over `max-connections-per-address` gets.
const ADDRESS_FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\n\
    content-type: text/plain; charset=utf-8\r\ncontent-length: 49\r\n\r\nthere are too many connections from this address\n";

/// What every client is served with.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) service: Arc<Service>,
    pub(super) clients: Arc<Clients>,
    pub(super) alive: Alive,
    /// Changes once, from running to stopping.
    pub(super) stopping: watch::Receiver<bool>,
    places: Arc<Semaphore>,
    farewells: Arc<Semaphore>,
    /// Errors of the listener in the log.
    not_accepted: Arc<Seldom>,
}

impl Door {
    pub(super) fn new(
        service: &Arc<Service>,
        clients: &Arc<Clients>,
        places: Places,
        alive: Alive,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Door {
            service: Arc::clone(service),
            clients: Arc::clone(clients),
            alive,
            stopping,
            places: Arc::new(Semaphore::new(places.clients.min(Semaphore::MAX_PERMITS))),
            farewells: Arc::new(Semaphore::new(places.farewells.min(FAREWELLS))),
            not_accepted: Arc::default(),
        }
    }

    /// Accepts clients for ever.
    pub(super) async fn accept(&self, listener: &TcpListener) {
        // A file to give up when there is no other: who can not be let in can be told so.
        let mut spare = File::open("/dev/null").ok();
        loop {
            match listener.accept().await {
                Ok((stream, address)) => self.receive(stream, address),
                Err(error) => {
                    if let Some(others) = self.not_accepted.admit() {
                        tracing::warn!(%error, "a client could not be accepted{others}");
                    }
                    if spare.take().is_none() {
                        tokio::time::sleep(NO_FILES_PAUSE).await;
                    } else if let Some(Ok((stream, address))) = listener.accept().now_or_never() {
                        self.clients.visitor(address).met(Limit::Connections);
                        // At once, and what it has said is not waited for: the file is needed for the next one.
                        let _ = stream.try_write(SERVER_FULL);
                    }
                    spare = File::open("/dev/null").ok();
                }
            }
        }
    }

    fn receive(&self, stream: TcpStream, address: SocketAddr) {
        let visitor = self.clients.visitor(address);
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            visitor.met(Limit::Connections);
            return self.turn_away(stream, SERVER_FULL);
        };
        if self.clients.settings().proxy_protocol && visitor.is_proxy() {
            let mut door = self.clone();
            #[expect(clippy::disallowed_methods, reason = "the task holds a place, and ends when the server stops")]
            tokio::spawn(async move {
                let named = tokio::select! {
                    named = proxied::client(stream, visitor) => named,
                    _ = door.stopping.changed() => None,
                };
                if let Some((stream, visitor)) = named {
                    door.admit(stream, visitor, place);
                }
            });
        } else {
            self.admit(stream, visitor, place);
        }
    }

    fn admit(&self, stream: TcpStream, visitor: Visitor, place: OwnedSemaphorePermit) {
        // A client that is gone already is nobody's.
        let Ok(local) = stream.local_addr() else { return };
        match visitor.enter() {
            Some(own) => {
                let client = Client::new(visitor, local, place, own, self.alive.clone());
                #[expect(
                    clippy::disallowed_methods,
                    reason = "the client that it serves holds `alive`, which the server awaits"
                )]
                tokio::spawn(serve::serve(stream, client, self.clone()));
            }
            None => self.turn_away(stream, ADDRESS_FULL),
        }
    }

    fn turn_away(&self, mut stream: TcpStream, answer: &'static [u8]) {
        let Ok(farewell) = Arc::clone(&self.farewells).try_acquire_owned() else { return };
        #[expect(
            clippy::disallowed_methods,
            reason = "it lasts for a second at most, and its permit bounds how many there are"
        )]
        tokio::spawn(async move {
            let _ = tokio::time::timeout(Duration::from_secs(1), async {
                let _ = stream.write_all(answer).await;
                let _ = stream.shutdown().await;
                // Closing with the request unread would be a reset, which can overtake the answer.
                let _ = tokio::io::copy(&mut (&mut stream).take(DISCARD), &mut tokio::io::sink()).await;
            })
            .await;
            drop(farewell);
        });
    }
}

/// Opens the listener. All addresses of IPv6 include those of IPv4; on a system without IPv6 they are those of IPv4.
pub(super) fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let all = SocketAddr::from((Ipv6Addr::UNSPECIFIED, address.port()));
    match open(address) {
        Err(error) if address == all && is_no_ipv6(&error) => {
            open(SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port())))
        }
        opened => opened,
    }
}

/// Whether the system has no IPv6, or has it switched off.
fn is_no_ipv6(error: &std::io::Error) -> bool {
    let errno = error.raw_os_error().map(rustix::io::Errno::from_raw_os_error);
    matches!(errno, Some(rustix::io::Errno::AFNOSUPPORT | rustix::io::Errno::ADDRNOTAVAIL))
}

fn open(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restarted server takes over from one whose last connections are still in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    #[test]
    fn answers_are_as_long_as_they_say() {
        for answer in [super::SERVER_FULL, super::ADDRESS_FULL] {
            let text = std::str::from_utf8(answer).expect("text");
            let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
            assert!(head.ends_with(&format!("content-length: {}", body.len())), "{}", body.len());
        }
    }
}
