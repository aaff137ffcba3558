//! `examples/echo`: sends back what it gets.

use crate::harness::frames::{CONTINUATION, Frame, TEXT};
use crate::harness::host::TestHost;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn text_and_binary_come_back() {
    let host = TestHost::with(&["echo"]).await;
    let mut client = host.connect("/echo").await;
    client.exchange("hello", "hello").await;
    client.exchange("", "").await;
    client.exchange("Bonjou, lakou! 🏠", "Bonjou, lakou! 🏠").await;
    client.send(Message::binary(vec![0, 255, 13, 10])).await;
    client.expect_bytes(&[0, 255, 13, 10]).await;
    client.send(Message::binary(vec![])).await;
    client.expect_bytes(&[]).await;
    client.ping("between").await;
    client.leave().await;
    host.counts("nobody is left", |counted| counted.connections == 0).await;
}

#[tokio::test]
async fn large_messages_come_back() {
    let host = TestHost::with(&["echo"]).await;
    let mut client = host.connect("/echo").await;
    for size in [125, 126, 65_535, 65_536, 500_000] {
        let text: String = ('a'..='z').cycle().take(size).collect();
        client.exchange(&text, &text).await;
        let bytes: Vec<u8> = (0..=255).cycle().take(size).collect();
        client.send(Message::binary(bytes.clone())).await;
        client.expect_bytes(&bytes).await;
    }
}

#[tokio::test]
async fn a_fragmented_message_comes_back_whole() {
    let host = TestHost::with(&["echo"]).await;
    let mut client = host.raw("/echo").await;
    client.send(Frame::new(TEXT, "a yard ").unfinished()).await;
    client.send(Frame::new(CONTINUATION, "that several ").unfinished()).await;
    client.send(Frame::new(CONTINUATION, "households share")).await;
    client.expect(TEXT, "a yard that several households share").await;
}

#[tokio::test]
async fn many_clients_each_get_their_own() {
    let host = TestHost::with(&["echo"]).await;
    let mut clients = Vec::new();
    for _ in 0..100 {
        clients.push(host.connect("/echo").await);
    }
    for round in 0..3 {
        for (number, client) in clients.iter_mut().enumerate() {
            client.say(&format!("{round} from {number}")).await;
        }
        for (number, client) in clients.iter_mut().enumerate() {
            client.expect(&format!("{round} from {number}")).await;
        }
    }
}
