//! Attacks by the body of a plain request, on a guest that reads it whole. None of them counts as the guest's failure.

use super::{SHORT, host};
use crate::harness::raw::RawClient;
use crate::harness::siege::Siege;
use lakou_host::Config;

const LIMIT: usize = 16 * 1024;

const CHUNKED: &str = "POST /probe/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";

async fn siege(change: impl FnOnce(&mut Config)) -> Siege {
    Siege::of(host().config(|config| config.max_body = LIMIT).config(change)).await
}

/// The guest has failed in no way.
fn guest_is_blameless(siege: &Siege) {
    let counted = siege.host.counted();
    assert_eq!((counted.traps, counted.time_exceeded, counted.cpu_exceeded), (0, 0, 0), "{counted:?}");
}

#[tokio::test]
async fn a_length_over_the_limit_is_refused_before_the_body() {
    let siege = siege(|_| {}).await;
    let head = format!("POST /probe/x HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", LIMIT + 1);
    siege.attack(siege.is_answered(head, 413)).await;
    siege.met("max-body", |counted| counted.bodies_too_large).await;
    assert_eq!(siege.host.counted().http_requests, 0, "no guest hears of it");
}

#[tokio::test]
async fn chunks_over_the_limit() {
    let siege = siege(|_| {}).await;
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(4096));
    siege.attack(siege.is_answered(CHUNKED.to_owned() + &chunk.repeat(5) + "0\r\n\r\n", 413)).await;
    siege.met("max-body", |counted| counted.bodies_too_large).await;
    guest_is_blameless(&siege);
}

#[tokio::test]
async fn a_bomb_of_tiny_chunks() {
    let siege = siege(|_| {}).await;
    siege.attack(siege.is_answered(CHUNKED.to_owned() + &"1\r\nx\r\n".repeat(2 * LIMIT), 413)).await;
    siege.met("max-body", |counted| counted.bodies_too_large).await;
    guest_is_blameless(&siege);
}

/// A chunked body that is none.
async fn malformed(chunks: &str) {
    let siege = siege(|_| {}).await;
    siege.attack(siege.is_answered(CHUNKED.to_owned() + chunks, 400)).await;
    siege.met("HTTP/1.1", |counted| counted.requests_malformed).await;
    guest_is_blameless(&siege);
}

#[tokio::test]
async fn a_chunk_without_a_length() {
    malformed("zz\r\nhello\r\n0\r\n\r\n").await;
}

#[tokio::test]
async fn a_chunk_whose_length_overflows() {
    malformed("fffffffffffffffff\r\nhello\r\n0\r\n\r\n").await;
}

#[tokio::test]
async fn endless_chunk_extensions() {
    malformed(&format!("1;{}", "x".repeat(256 * 1024))).await;
}

#[tokio::test]
async fn endless_trailers() {
    malformed(&format!("1\r\nx\r\n0\r\n{}", "x-trailer: x\r\n".repeat(16 * 1024))).await;
}

/// Expects to be answered with 408, and the limit to be counted.
async fn is_too_slow(siege: &Siege, mut client: RawClient) {
    let answer = String::from_utf8_lossy(&client.expect_clean_end().await).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer:.200}");
    siege.met("body-timeout", |counted| counted.bodies_too_slow).await;
    guest_is_blameless(siege);
}

#[tokio::test]
async fn a_body_that_stalls() {
    let siege = siege(|config| config.body_timeout = SHORT).await;
    let attack = async {
        let mut client = siege.dial().await;
        client.write(format!("{CHUNKED}4\r\nhalf\r\n")).await;
        is_too_slow(&siege, client).await;
    };
    siege.attack(attack).await;
}

#[tokio::test]
async fn a_body_that_drips() {
    // A byte buys the hundredth part of a second, and takes longer to come.
    let siege = siege(|config| (config.body_timeout, config.min_body_rate) = (SHORT, 100)).await;
    let attack = async {
        let mut client = siege.dial().await;
        client.write(CHUNKED).await;
        let mut pulse = tokio::time::interval(SHORT / 6);
        while siege.host.counted().bodies_too_slow == 0 {
            pulse.tick().await;
            let _ = client.try_write("1\r\nx\r\n").await;
        }
        is_too_slow(&siege, client).await;
    };
    siege.attack(attack).await;
}

#[tokio::test]
async fn bodies_that_take_the_places_of_others() {
    // A quarter of them is two.
    let siege = siege(|config| (config.max_requests, config.guest.call_time) = (8, SHORT * 10)).await;
    let head = "POST /probe/x HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n";
    let attack = async {
        let mut slow = Vec::new();
        for _ in 0..8 {
            let mut client = siege.dial().await;
            client.write(head).await;
            slow.push(client);
        }
        siege.host.counts("two are being answered", |counted| counted.http_requests == 2).await;
        let answer = siege.host.ask("POST", "/probe/x").body("whole").get().await;
        assert_eq!(answer.status, 200, "somebody else is answered at once");
        siege.met("max-requests-per-address", |counted| counted.over_address_requests).await;
        drop(slow);
    };
    siege.attack(attack).await;
}

#[tokio::test]
async fn a_body_that_outlasts_the_guest() {
    let siege = siege(|config| config.guest.call_time = SHORT).await;
    let attack = async {
        let mut client = siege.dial().await;
        client.write(format!("{CHUNKED}4\r\nhalf\r\n")).await;
        is_too_slow(&siege, client).await;
    };
    siege.attack(attack).await;
}

#[tokio::test]
async fn a_body_that_breaks_off() {
    let siege = siege(|_| {}).await;
    let attack = async {
        for _ in 0..50 {
            let mut client = siege.dial().await;
            client.write(format!("{CHUNKED}4\r\nhalf\r\n")).await;
            client.finish().await;
            client.expect_end().await;
        }
    };
    siege.attack(attack).await;
    siege.host.counts("each of them", |counted| counted.bodies_broken_off == 50).await;
    siege.met("HTTP/1.1", |counted| counted.bodies_broken_off).await;
    guest_is_blameless(&siege);
}
