//! Attacks on the head of a request.

use super::{SHORT, host};
use crate::harness::logs;
use crate::harness::raw::{RawClient, handshake};
use crate::harness::siege::Siege;
use crate::harness::wait::within;
use lakou_host::Snapshot;

/// Writes a head byte by byte until it is cut off.
async fn drip(mut client: RawClient) {
    let mut pulse = tokio::time::interval(SHORT / 20);
    within("the host to cut it off", async {
        for byte in handshake("/echo", "x-endless: field\r\n").bytes().take(100).chain(std::iter::repeat(b'x')) {
            pulse.tick().await;
            if client.try_write([byte]).await.is_err() {
                break;
            }
        }
    })
    .await;
}

async fn impatient() -> Siege {
    Siege::of(host().config(|config| config.handshake_timeout = SHORT)).await
}

#[tokio::test]
async fn slowloris() {
    let siege = impatient().await;
    siege.attack(async { drip(siege.dial().await).await }).await;
    siege.met("handshake-timeout", |counted| counted.handshakes_too_slow).await;
}

#[tokio::test]
async fn two_hundred_slowlorises() {
    let siege = impatient().await;
    let attack = async {
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..200 {
            all.spawn(drip(siege.dial().await));
        }
        all.join_all().await;
    };
    siege.attack(attack).await;
    siege.host.counts("all are cut off", |counted| counted.handshakes_too_slow >= 200).await;
    siege.met("handshake-timeout", |counted| counted.handshakes_too_slow).await;
}

#[tokio::test]
async fn silence() {
    let siege = impatient().await;
    siege.attack(async { siege.dial().await.expect_end().await }).await;
    siege.met("handshake-timeout", |counted| counted.handshakes_too_slow).await;
}

/// Writes a head, and expects it to be refused with `status` and counted.
async fn refused(head: &[u8], status: u16, limit: &str, counter: impl Fn(&Snapshot) -> u64) {
    let siege = Siege::of(host()).await;
    siege.attack(siege.is_answered(head, status)).await;
    siege.met(limit, counter).await;
    assert_eq!(siege.host.counted().connections_opened, 1, "the bystander's");
}

#[tokio::test]
async fn a_huge_header_field() {
    let head = format!("GET /echo HTTP/1.1\r\nhost: x\r\nx-huge: {}\r\n\r\n", "x".repeat(200 * 1024));
    refused(head.as_bytes(), 431, "max-header", |counted| counted.headers_too_large).await;
}

#[tokio::test]
async fn thousands_of_header_fields() {
    let fields: String = (0..2_000).map(|number| format!("x-{number}: x\r\n")).collect();
    let head = format!("GET /echo HTTP/1.1\r\nhost: x\r\n{fields}\r\n");
    refused(head.as_bytes(), 431, "max-header", |counted| counted.headers_too_large).await;
}

#[tokio::test]
async fn a_head_over_a_limit_that_was_lowered() {
    let siege = Siege::of(host().config(|config| config.max_header = 8 * 1024)).await;
    let head = format!("GET /echo HTTP/1.1\r\nhost: x\r\nx-huge: {}\r\n\r\n", "x".repeat(12 * 1024));
    siege.attack(siege.is_answered(head, 431)).await;
    siege.met("max-header", |counted| counted.headers_too_large).await;
}

/// Writes a head that is no HTTP/1.1.
async fn malformed(head: &[u8]) {
    refused(head, 400, "HTTP/1.1", |counted| counted.requests_malformed).await;
}

#[tokio::test]
async fn smuggling_by_two_kinds_of_length() {
    let siege = Siege::of(host()).await;
    let (length, encoding) = ("content-length: 5\r\n", "transfer-encoding: chunked\r\n");
    for fields in [format!("{length}{encoding}"), format!("{encoding}{length}")] {
        let first = format!("POST /probe/x HTTP/1.1\r\nhost: x\r\n{fields}\r\n0\r\n\r\n");
        let request = first + "GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n";
        // RFC 9112, section 6.3: the encoding counts, and what follows is not taken for a request.
        let answer = siege.attack(siege.is_answered(request, 200)).await;
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    }
}

#[tokio::test]
async fn smuggling_by_two_lengths() {
    malformed(b"POST /probe/x HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!").await;
}

#[tokio::test]
async fn smuggling_by_an_unknown_encoding() {
    malformed(b"POST /probe/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n").await;
}

#[tokio::test]
async fn smuggling_by_a_space_before_the_colon() {
    malformed(b"POST /probe/x HTTP/1.1\r\nhost: x\r\ncontent-length : 5\r\n\r\nhello").await;
}

#[tokio::test]
async fn smuggling_by_a_folded_field() {
    malformed(b"POST /probe/x HTTP/1.1\r\nhost: x\r\nx-folded: a\r\n content-length: 5\r\n\r\nhello").await;
}

#[tokio::test]
async fn a_negative_length() {
    malformed(b"POST /probe/x HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n").await;
}

#[tokio::test]
async fn a_null_byte_in_the_path() {
    malformed(b"GET /echo\0.html HTTP/1.1\r\nhost: x\r\n\r\n").await;
}

#[tokio::test]
async fn a_null_byte_in_a_field() {
    malformed(b"GET /echo HTTP/1.1\r\nhost: x\r\nx-null: a\0b\r\n\r\n").await;
}

#[tokio::test]
async fn tls_where_there_is_none() {
    malformed(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n").await;
}

#[tokio::test]
async fn http2_where_it_is_not_spoken() {
    let siege = Siege::of(host()).await;
    let mut client = siege.dial().await;
    client.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    client.expect_end().await;
    siege.met("HTTP/2", |counted| counted.http2_refused).await;
    assert_eq!(siege.host.counted().requests_malformed, 0);
    logs::expect(&["speaks HTTP/2, which is not served here", &format!("client={} ", siege.attacker)]).await;
}

#[tokio::test]
async fn percent_encoded_garbage() {
    let siege = Siege::of(host()).await;
    let attack = async {
        for path in ["/probe/%", "/probe/%0", "/probe/%zz", "/probe/%ff", "/probe/%c0%af", "/probe/%ed%a0%80"] {
            let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            siege.is_answered(head, 400).await;
        }
    };
    siege.attack(attack).await;
    assert_eq!(siege.host.counted().http_requests, 0, "no guest hears of it");
    siege.met("HTTP/1.1", |counted| counted.requests_malformed).await;
}

#[tokio::test]
async fn requests_without_a_host_or_with_two() {
    for fields in ["", "host: a\r\nhost: b\r\n"] {
        let head = format!("GET /echo HTTP/1.1\r\nconnection: close\r\n{fields}\r\n");
        malformed(head.as_bytes()).await;
    }
}

#[tokio::test]
async fn handshakes_that_are_none() {
    let handshake = handshake("/echo", "");
    for (right, wrong) in [("sec-websocket-key: ", "sec-websocket-key: x"), ("connection: ", "connection: x")] {
        let wrong = handshake.to_ascii_lowercase().replace(right, wrong).replace("\r\n\r\n", "\r\n");
        let head = wrong.replacen("get /echo http/1.1", "GET /echo HTTP/1.1", 1) + "\r\n";
        refused(head.as_bytes(), 400, "RFC 6455", |counted| counted.protocol_errors).await;
    }
}
