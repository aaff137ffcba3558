//! A polite WebSocket client: scenarios say and expect with it.

use super::http::{Answer, Ask};
use super::raw::KEY;
use super::wait::within;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::http;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// An open WebSocket. Pings are answered while it reads.
pub(crate) struct WsClient {
    stream: WebSocketStream<TcpStream>,
    /// The 101 answer.
    pub(crate) answer: http::Response<()>,
}

/// A handshake before it is sent.
pub(crate) struct Knock {
    address: SocketAddr,
    path: String,
    headers: Vec<(String, String)>,
}

impl Knock {
    pub(crate) fn new(address: SocketAddr, path: &str) -> Self {
        Knock { address, path: path.to_owned(), headers: Vec::new() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn origin(self, origin: &str) -> Self {
        self.header("origin", origin)
    }

    pub(crate) fn subprotocols(self, offered: &str) -> Self {
        self.header("sec-websocket-protocol", offered)
    }

    /// Expects to be let in.
    pub(crate) async fn open(self) -> WsClient {
        let mut request = http::Request::get(format!("ws://{}{}", self.address, self.path))
            .header("host", self.address.to_string())
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", generate_key());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(()).expect("a scenario writes valid headers");
        let stream = TcpStream::connect(self.address).await.expect("the host accepts");
        stream.set_nodelay(true).expect("an open socket");
        let config = WebSocketConfig::default().read_buffer_size(4096).max_message_size(None).max_frame_size(None);
        let opening = client_async_with_config(request, stream, Some(config));
        match within("the handshake's answer", opening).await {
            Ok((stream, answer)) => WsClient { stream, answer: answer.map(|_| ()) },
            Err(error) => panic!("{} is not opened: {error}", self.path),
        }
    }

    /// Expects to be turned away, and gives the answer.
    pub(crate) async fn refused(self, status: u16) -> Answer {
        let answer = self.answer().await;
        assert_eq!(answer.status, status, "{}: {}", self.path, answer.text());
        answer
    }

    /// The status of the answer, whatever it is, but for an upgraded connection.
    pub(crate) async fn status(self) -> u16 {
        self.answer().await.status
    }

    /// The answer, whatever it is, but for an upgraded connection.
    async fn answer(&self) -> Answer {
        let mut ask = Ask::new(self.address, "GET", &self.path)
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", KEY);
        for (name, value) in &self.headers {
            ask = ask.header(name, value);
        }
        let mut exchange = ask.begin().await;
        let head = within("the handshake's answer", exchange.head()).await;
        assert_ne!(head.status, 101, "{} is opened although it should not be", self.path);
        within("the refusal's body", exchange.body(head)).await
    }
}

impl WsClient {
    pub(crate) async fn say(&mut self, text: &str) {
        self.send(Message::text(text)).await;
    }

    pub(crate) async fn send(&mut self, message: Message) {
        within("the host reads", self.stream.send(message)).await.expect("the connection is open");
    }

    /// Hands several messages over at once, so that they arrive together.
    pub(crate) async fn say_all(&mut self, texts: impl IntoIterator<Item = String>) {
        for text in texts {
            self.stream.feed(Message::text(text)).await.expect("the connection is open");
        }
        within("the host reads", self.stream.flush()).await.expect("the connection is open");
    }

    /// The next message, text or binary; the close frame if the host closes.
    pub(crate) async fn hear(&mut self) -> Message {
        loop {
            match within("a message", self.stream.next()).await {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return message,
                Some(Err(error)) => panic!("the connection broke: {error}"),
                None => panic!("the connection has ended"),
            }
        }
    }

    /// The next message, which must be text.
    pub(crate) async fn hear_text(&mut self) -> String {
        match self.hear().await {
            Message::Text(text) => text.to_string(),
            other => panic!("not a text: {other:?}"),
        }
    }

    pub(crate) async fn expect(&mut self, text: &str) {
        assert_eq!(self.hear_text().await, text);
    }

    /// Expects a text that begins with `beginning`.
    pub(crate) async fn expect_start(&mut self, beginning: &str) {
        let heard = self.hear_text().await;
        assert!(heard.starts_with(beginning), "{beginning}...: {heard}");
    }

    /// Skips messages until `text`.
    pub(crate) async fn expect_after_others(&mut self, text: &str) {
        while self.hear_text().await != text {}
    }

    pub(crate) async fn expect_bytes(&mut self, bytes: &[u8]) {
        match self.hear().await {
            Message::Binary(heard) => assert!(heard == bytes, "{} bytes, and not the expected ones", heard.len()),
            other => panic!("not binary: {other:?}"),
        }
    }

    /// The next message, which must be a JSON text.
    pub(crate) async fn expect_json(&mut self) -> Value {
        let text = self.hear_text().await;
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}"))
    }

    /// Says `text` and expects `answer`: whatever else is heard first is a failure.
    pub(crate) async fn exchange(&mut self, text: &str, answer: &str) {
        self.say(text).await;
        self.expect(answer).await;
    }

    /// The next thing must be a close frame with `code`. Finishes the handshake and gives the reason.
    pub(crate) async fn expect_close(&mut self, code: u16) -> String {
        match self.hear().await {
            Message::Close(Some(frame)) => {
                assert_eq!(u16::from(frame.code), code, "close code, with reason {:?}", frame.reason.as_str());
                self.finish().await;
                frame.reason.to_string()
            }
            other => panic!("not a close frame with {code}: {other:?}"),
        }
    }

    /// Pings and expects the host's answer, which comes in order with messages.
    pub(crate) async fn ping(&mut self, payload: &'static str) {
        self.send(Message::Ping(Bytes::from_static(payload.as_bytes()))).await;
        loop {
            match within("a pong", self.stream.next()).await {
                Some(Ok(Message::Pong(heard))) => return assert_eq!(heard, payload),
                Some(Ok(_)) => {}
                other => panic!("not a pong: {other:?}"),
            }
        }
    }

    /// Waits for a ping of the host's; its answer is sent by the next call.
    pub(crate) async fn expect_ping(&mut self) {
        while !matches!(within("a ping", self.stream.next()).await, Some(Ok(Message::Ping(_)))) {}
    }

    /// Closes with 1000 and waits until the host has closed too.
    pub(crate) async fn leave(self) {
        self.close(1000, "").await;
    }

    /// Closes with `code` and waits until the host has closed too.
    pub(crate) async fn close(mut self, code: u16, reason: &str) {
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        within("the host reads", self.stream.close(Some(frame))).await.expect("the connection is open");
        self.finish().await;
    }

    /// Reads to the end of the connection.
    pub(crate) async fn finish(&mut self) {
        within("the end of the connection", async { while let Some(Ok(_)) = self.stream.next().await {} }).await;
    }
}
