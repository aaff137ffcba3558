//! A network between a client and a server that can fail: connections that are cut, refused, stalled or half closed,
//! while the server itself is well.

use super::cli::RedisCli;
use super::trouble::Trouble;
use crate::harness::ports::free_address;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// An address that leads to another one. It lives in the test's own runtime: bytes move while the test waits. Dropping it
/// ends its connections.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    network: Arc<Network>,
}

/// What is shared with a [`Trouble`].
pub(super) struct Network {
    address: SocketAddr,
    target: SocketAddr,
    faults: watch::Sender<Faults>,
    acceptor: Mutex<Option<JoinHandle<()>>>,
}

/// What befalls connections. The counts go up by one each time, which a connection compares with what it began with.
#[derive(Clone, Copy, Default)]
struct Faults {
    cuts: u64,
    half_closes: u64,
    stalled: bool,
}

impl Proxy {
    pub(crate) async fn before(target: SocketAddr) -> Self {
        let acceptor = Mutex::new(None);
        let mut network =
            Network { address: free_address(), target, faults: watch::channel(Faults::default()).0, acceptor };
        // Another process may have taken the port meanwhile.
        while network.try_accept().is_err() {
            network.address = free_address();
        }
        Proxy { address: network.address, network: Arc::new(network) }
    }

    /// The setting `redis` of a host.
    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// The real redis-cli, through the proxy.
    pub(crate) fn cli(&self) -> RedisCli {
        RedisCli::at(self.address)
    }

    /// Drops the open connections; new ones are welcome.
    pub(crate) fn cut(&self) {
        self.network.cut();
    }

    /// Drops the open connections and refuses new ones, until [`accept`](Self::accept).
    pub(crate) async fn refuse(&self) {
        self.network.refuse().await;
    }

    pub(crate) fn accept(&self) {
        self.network.accept();
    }

    /// Connections stay open, and new ones are opened, but no byte moves until [`flow`](Self::flow).
    pub(crate) fn stall(&self) {
        self.network.stall(true);
    }

    pub(crate) fn flow(&self) {
        self.network.stall(false);
    }

    /// Ends what open connections bring to the client; what it sends still arrives.
    pub(crate) fn half_close(&self) {
        self.network.half_close();
    }

    /// Begins a series of all of these at random moments. It ends by itself, or with what is returned.
    pub(crate) fn trouble(&self, seed: u64) -> Trouble {
        Trouble::begin(Arc::clone(&self.network), seed)
    }
}

impl Network {
    pub(super) fn cut(&self) {
        self.faults.send_modify(|faults| faults.cuts += 1);
    }

    pub(super) async fn refuse(&self) {
        let acceptor = self.acceptor.lock().expect("nobody panics with it").take();
        if let Some(acceptor) = acceptor {
            acceptor.abort();
            // The port is closed when the task is gone, which was cancelled: that is its outcome.
            let _ = acceptor.await;
        }
        self.cut();
    }

    /// Where new connections are welcome already, nothing changes.
    pub(super) fn accept(&self) {
        if self.acceptor.lock().expect("nobody panics with it").is_none() {
            self.try_accept().expect("the port has been ours, and lies where no others are handed out");
        }
    }

    pub(super) fn stall(&self, stalled: bool) {
        self.faults.send_modify(|faults| faults.stalled = stalled);
    }

    pub(super) fn half_close(&self) {
        self.faults.send_modify(|faults| faults.half_closes += 1);
    }

    fn try_accept(&self) -> io::Result<()> {
        let listener = std::net::TcpListener::bind(self.address)?;
        listener.set_nonblocking(true)?;
        let serving = serve(TcpListener::from_std(listener)?, self.target, self.faults.subscribe());
        *self.acceptor.lock().expect("nobody panics with it") = Some(tokio::spawn(serving));
        Ok(())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if let Some(acceptor) = self.acceptor.lock().expect("nobody panics with it").take() {
            acceptor.abort();
        }
    }
}

async fn serve(listener: TcpListener, target: SocketAddr, faults: watch::Receiver<Faults>) {
    while let Ok((client, _)) = listener.accept().await {
        let began = *faults.borrow();
        let mut cut = faults.clone();
        let carried = carry(client, target, faults.clone(), began.half_closes);
        tokio::spawn(async move {
            tokio::select! {
                // Whichever side has failed, both connections are dropped.
                _ = carried => {}
                // An error is the end of the proxy, which ends its connections.
                _ = cut.wait_for(|faults| faults.cuts != began.cuts) => {}
            }
        });
    }
}

/// Carries bytes both ways until both have ended, or one has failed.
async fn carry(
    client: TcpStream,
    target: SocketAddr,
    faults: watch::Receiver<Faults>,
    half_closes: u64,
) -> io::Result<()> {
    let server = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut half_closed = faults.clone();
    let inwards = pump(from_client, to_server, faults.clone(), std::future::pending());
    let outwards = pump(from_server, to_client, faults, async move {
        // Where the proxy has ended, the connection ends anyway.
        let _ = half_closed.wait_for(|faults| faults.half_closes != half_closes).await;
    });
    tokio::try_join!(inwards, outwards)?;
    Ok(())
}

/// Carries bytes one way until their end or until `closed`, and hands the end on.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut faults: watch::Receiver<Faults>,
    closed: impl Future<Output = ()>,
) -> io::Result<()> {
    let moving = async {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let count = from.read(&mut buffer).await?;
            // An end is held up as well.
            let flows = faults.wait_for(|faults| !faults.stalled).await.is_ok();
            if !flows || count == 0 {
                return io::Result::Ok(());
            }
            to.write_all(&buffer[..count]).await?;
        }
    };
    tokio::select! {
        moved = moving => moved?,
        () = closed => {}
    }
    to.shutdown().await
}
