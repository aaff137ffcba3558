//! Everything at once: clients that come and go in every way, events across them, guests that fail. At the end nothing
//! is left: what was counted up was counted down.

use crate::harness::frames::{Frame, TEXT};
use crate::harness::guests;
use crate::harness::host::TestHost;
use crate::harness::raw::handshake;
use crate::harness::ws::WsClient;
use std::sync::Arc;

/// How many clients come and go at a time, and how often each.
const CROWD: u64 = 8;
const ROUNDS: u64 = 60;

#[tokio::test]
async fn after_the_crowd_has_gone_nothing_is_left() {
    for sharing in [1, 4, 256] {
        let host = TestHost::serving(&["probe", "misbehave"])
            .file("spare.wasm", guests::renamed("probe", "spare"))
            .config(|config| {
                config.guest.connections_per_instance = sharing;
                // Whoever fails on purpose is to be let in again and again.
                config.guest.max_failures = 100_000;
            })
            .start()
            .await;
        let host = Arc::new(host);
        let crowd: Vec<_> = (0..CROWD).map(|seed| tokio::spawn(come_and_go(Arc::clone(&host), seed))).collect();
        for one in crowd {
            one.await.expect("each sees what it should");
        }
        host.counts("nothing is left", |counted| (counted.connections, counted.instances) == (0, 0)).await;
        // And it still works.
        host.connect("/probe/x").await.exchange("echo hi", "hi").await;
    }
}

async fn come_and_go(host: Arc<TestHost>, seed: u64) {
    let mut number = seed;
    for _ in 0..ROUNDS {
        // A linear congruential generator is random enough, and the same in every run.
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let path = if number & (1 << 40) == 0 { "/probe/x?topic=t" } else { "/spare/x?topic=t" };
        match (number >> 33) % 8 {
            0 => {
                // It is gone before it can be told that it is connected.
                let mut client = host.dial().await;
                client.write(handshake(path, "")).await;
            }
            1 => drop(host.raw(path).await),
            2 => host.raw(path).await.reset(),
            3 => {
                let mut client = host.connect(path).await;
                client.say("multicast hello").await;
                client.expect_after_others("ok").await;
                client.leave().await;
            }
            4 => {
                let mut client = host.connect(path).await;
                client.say("publish t hello").await;
                client.expect_after_others("ok").await;
                drop(client);
            }
            5 => {
                let mut client = host.connect(path).await;
                client.say("close 4000 enough").await;
                closed_with(&mut client, 4000).await;
            }
            6 => {
                // Its siblings may have failed meanwhile: then it is closed with 1012 and not with 1011.
                let mut client = host.raw("/misbehave/panic-in-message").await;
                let _ = client.try_write(Frame::new(TEXT, "now").bytes()).await;
                client.closed().await;
            }
            _ => {
                let answer = host.ask("POST", "/probe/multicast").body("news").get().await;
                assert_eq!(answer.text(), "ok");
            }
        }
    }
}

/// Skips what others say until the close frame.
async fn closed_with(client: &mut WsClient, code: u16) {
    loop {
        if let tokio_tungstenite::tungstenite::Message::Close(Some(frame)) = client.hear().await {
            assert_eq!(u16::from(frame.code), code);
            return client.finish().await;
        }
    }
}
