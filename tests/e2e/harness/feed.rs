//! A WebSocket server elsewhere, for guests that connect to it: on loopback, with a behaviour for each path, and a way to go and
//! to come back on the same port.

use super::ports::free_address;
use futures_util::{SinkExt, StreamExt};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;

/// A feed on 127.0.0.1.
pub(crate) struct Feed {
    pub(crate) address: SocketAddr,
    visits: Arc<AtomicUsize>,
    said: broadcast::Sender<String>,
    serving: Option<JoinSet<()>>,
}

impl Feed {
    /// Starts it. `/feed` says what [`say`](Self::say) is given, and echoes; `/large` says 2 MiB first, `/trap` a word that
    /// makes a guest trap; `/silence` does not answer the handshake; `/refuse` answers 403, `/to?URL` redirects there. A
    /// header field `x-word` comes back as `x-from`, and the first subprotocol that is offered is chosen; on `/odd` it is one
    /// that nobody has offered.
    pub(crate) async fn start() -> Self {
        let (said, _) = broadcast::channel(1024);
        let mut feed = Feed { address: free_address(), visits: Arc::default(), said, serving: None };
        feed.come_back().await;
        feed
    }

    pub(crate) fn url(&self, path: &str) -> String {
        self.at("127.0.0.1", path)
    }

    /// Its address under another spelling of 127.0.0.1.
    pub(crate) fn at(&self, host: &str, path: &str) -> String {
        format!("ws://{host}:{}{path}", self.address.port())
    }

    /// Connections that were made to it.
    pub(crate) fn visits(&self) -> usize {
        self.visits.load(Ordering::Relaxed)
    }

    /// Those that have shaken hands and are there.
    pub(crate) fn listeners(&self) -> usize {
        self.said.receiver_count()
    }

    pub(crate) fn say(&self, text: &str) {
        // With nobody there it is lost.
        let _ = self.said.send(text.to_owned());
    }

    /// It is gone, and all that are connected to it are cut off.
    pub(crate) async fn go_away(&mut self) {
        if let Some(mut serving) = self.serving.take() {
            serving.shutdown().await;
        }
    }

    pub(crate) async fn come_back(&mut self) {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("a new socket");
        socket.bind(self.address).expect("a port of our own");
        let listener = socket.listen(64).expect("it is bound");
        let (visits, said) = (Arc::clone(&self.visits), self.said.clone());
        let mut serving = JoinSet::new();
        serving.spawn(accept(listener, visits, said));
        self.serving = Some(serving);
    }
}

async fn accept(listener: TcpListener, visits: Arc<AtomicUsize>, said: broadcast::Sender<String>) {
    // Dropped with this task, and with it all that are connected.
    let mut visitors = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        visits.fetch_add(1, Ordering::Relaxed);
        visitors.spawn(serve(stream, said.clone()));
    }
}

async fn serve(stream: TcpStream, said: broadcast::Sender<String>) {
    let mut path = String::new();
    let mut peeked = [0; 64];
    let count = stream.peek(&mut peeked).await.unwrap_or_default();
    if peeked[..count].starts_with(b"GET /silence") {
        return std::future::pending().await;
    }
    #[allow(clippy::result_large_err, reason = "the library's signature")]
    let shaking = |request: &Request, response: Response| answer(request, response, &mut path);
    let Ok(mut socket) = accept_hdr_async(stream, shaking).await else { return };
    let first = match path.as_str() {
        "/large" => Some("x".repeat(2 * 1024 * 1024)),
        "/trap" => Some("trap".to_owned()),
        _ => None,
    };
    if let Some(first) = first
        && socket.send(Message::text(first)).await.is_err()
    {
        return;
    }
    let mut says = said.subscribe();
    loop {
        let message = tokio::select! {
            Ok(text) = says.recv() => Message::text(text),
            heard = socket.next() => match heard {
                Some(Ok(Message::Text(text))) => Message::text(format!("echo {text}")),
                Some(Ok(_)) => continue,
                _ => return,
            },
        };
        if socket.send(message).await.is_err() {
            return;
        }
    }
}

#[allow(clippy::result_large_err, reason = "the library's signature")]
fn answer(request: &Request, mut response: Response, path: &mut String) -> Result<Response, ErrorResponse> {
    request.uri().path().clone_into(path);
    let refusal = |status: StatusCode| {
        let mut refusal = ErrorResponse::new(None);
        *refusal.status_mut() = status;
        refusal
    };
    if path == "/refuse" {
        return Err(refusal(StatusCode::FORBIDDEN));
    }
    if path == "/to" {
        let mut redirect = refusal(StatusCode::FOUND);
        let to = request.uri().query().unwrap_or_default().parse().expect("a URL");
        redirect.headers_mut().insert("location", to);
        return Err(redirect);
    }
    if let Some(word) = request.headers().get("x-word") {
        response.headers_mut().insert("x-from", word.clone());
    }
    let chosen = if path == "/odd" { Some("odd".parse().expect("a word")) } else { None };
    if let Some(chosen) = chosen.or_else(|| request.headers().get("sec-websocket-protocol").cloned()) {
        response.headers_mut().insert("sec-websocket-protocol", chosen);
    }
    Ok(response)
}
