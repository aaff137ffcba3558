//! Servers elsewhere that break the WebSocket protocol: they are held to the same rules as clients, and no guest is shown what
//! was not agreed upon.

use crate::harness::frames::{CLOSE, Frame, PING, TEXT, closing};
use crate::harness::host::TestHost;
use crate::harness::raw::RawClient;
use crate::harness::wait::within;
use crate::harness::ws::WsClient;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// A server of which each answer is written by hand, a host that may connect to it, and a client of that host.
struct Scene {
    server: TcpListener,
    host: TestHost,
    client: WsClient,
}

impl Scene {
    async fn start() -> Self {
        let server = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("ws://{}", server.local_addr().expect("it is bound"));
        let host = TestHost::serving(&["wires"]).config(|config| {
            config.overrides.entry("wires".into()).or_default().grants.websocket = vec![url.parse().expect("a URL")];
            config.guest.call_time = Duration::from_secs(8);
        });
        let host = host.start().await;
        let client = host.connect("/wires").await;
        Scene { server, host, client }
    }

    /// Has the guest connect, offering `subprotocol`, and answers with more header lines and what comes behind them at once.
    async fn answer(&mut self, subprotocol: &str, headers: &str, behind: &[u8]) -> RawClient {
        let url = format!("ws://{}/feed", self.server.local_addr().expect("it is bound"));
        self.client.say(&format!("connect {url} {subprotocol}")).await;
        let (stream, _) = within("the host connects", self.server.accept()).await.expect("a connection");
        let mut line = RawClient::from(stream);
        let head = line.head().await;
        let (_, key) = head.split_once("Sec-WebSocket-Key: ").expect("a key");
        let accept = derive_accept_key(&key.as_bytes()[..24]);
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{headers}\r\n"
        );
        line.write([head.as_bytes(), behind].concat()).await;
        line
    }
}

/// Frames of servers are not masked.
fn of_server(frame: Frame) -> Vec<u8> {
    frame.unmasked().bytes()
}

#[tokio::test]
async fn a_servers_close_is_answered_in_kind() {
    let mut scene = Scene::start().await;
    for (code, reason) in [(1000, ""), (1014, "bad gateway"), (1014, ""), (1002, "Protocol violation"), (4001, "mine")]
    {
        // Once with the handshake, and once behind it.
        for late in [false, true] {
            let bytes =
                [of_server(Frame::new(TEXT, "hi")), of_server(Frame::new(CLOSE, closing(code, reason)))].concat();
            let (first, second) = if late { (&[][..], &bytes[..]) } else { (&bytes[..], &[][..]) };
            let mut line = scene.answer("", "", first).await;
            line.write(second).await;
            line.expect(CLOSE, closing(code, reason)).await;
            line.expect_end().await;
            let mut heard = Vec::new();
            while heard.len() < 4 {
                heard.push(scene.client.hear_text().await);
            }
            assert!(heard.contains(&"heard hi".to_owned()) && heard.contains(&format!("closed {code}")), "{heard:?}");
        }
    }
    scene.host.counts("none is left", |counted| (counted.outward, counted.protocol_errors) == (0, 0)).await;
}

#[tokio::test]
async fn a_servers_wrong_frame_is_1002() {
    let mut scene = Scene::start().await;
    for (what, frame) in [
        ("masked", Frame::new(TEXT, "hi")),
        ("a length of 2 in 16 bits", Frame::new(TEXT, "hi").wide(2).unmasked()),
        ("a length of 2 in 64 bits", Frame::new(PING, "hi").wide(8).unmasked()),
        ("a close with code 1005", Frame::new(CLOSE, closing(1005, "")).unmasked()),
        ("a reserved bit", Frame::new(TEXT, "hi").reserved(1).unmasked()),
    ] {
        println!("{what}");
        let mut line = scene.answer("", "", &[of_server(Frame::new(TEXT, "first")), frame.bytes()].concat()).await;
        let closed = line.hear().await.expect("a close");
        assert_eq!((closed.opcode, &closed.payload[..2]), (CLOSE, &1002_u16.to_be_bytes()[..]), "{what}");
        line.write(of_server(Frame::new(CLOSE, closing(1002, "")))).await;
        let mut heard = Vec::new();
        while heard.len() < 4 {
            heard.push(scene.client.hear_text().await);
        }
        assert!(heard.contains(&"heard first".to_owned()) && heard.contains(&"closed 1002".to_owned()), "{heard:?}");
    }
    // The other end is no client, and has met no limit of clients.
    scene.host.counts("none is left", |counted| (counted.outward, counted.protocol_errors) == (0, 0)).await;
}

#[tokio::test]
async fn what_was_not_offered_is_not_agreed_upon() {
    let mut scene = Scene::start().await;
    for (subprotocol, headers) in [
        ("", "Sec-WebSocket-Protocol: v9\r\n"),
        ("v1", "Sec-WebSocket-Protocol: v9\r\n"),
        ("v1", "Sec-WebSocket-Protocol: V1\r\n"),
        ("v1", "Sec-WebSocket-Protocol: v1\r\nSec-WebSocket-Protocol: v9\r\n"),
        ("v1", "Sec-WebSocket-Protocol: v1, v9\r\n"),
        // As browsers have it.
        ("v1", ""),
        ("", "Sec-WebSocket-Extensions: permessage-deflate\r\n"),
    ] {
        let mut line = scene.answer(subprotocol, headers, b"").await;
        let told = scene.client.hear_text().await;
        assert!(told.starts_with("unavailable: no handshake: "), "{subprotocol:?} {headers:?}: {told}");
        line.expect_end().await;
    }
    let mut line = scene.answer("v1", "Sec-WebSocket-Protocol: v1\r\n", b"").await;
    let told = [scene.client.hear_text().await, scene.client.hear_text().await];
    assert!(told.iter().any(|told| told.ends_with("[v1]")), "{told:?}");
    line.write(of_server(Frame::new(TEXT, "hi"))).await;
    scene.client.expect("heard hi").await;
    scene.host.counts("of eight", |counted| (counted.outward_opened, counted.outward_failed) == (1, 7)).await;
}
