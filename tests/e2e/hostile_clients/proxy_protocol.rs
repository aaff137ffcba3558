//! The PROXY protocol: forged, malformed, and right.

use super::{SHORT, host};
use crate::harness::frames::{Frame, TEXT};
use crate::harness::siege::Siege;
use lakou_host::Config;
use serde_json::Value;
use std::net::IpAddr;

const HEADER: &str = "PROXY TCP4 192.0.2.7 10.0.0.1 4660 80\r\n";

/// A host that waits for a PROXY header of all but the bystander, whose address is 127.0.0.1.
async fn believing(change: impl FnOnce(&mut Config)) -> Siege {
    let networks = |config: &mut Config| {
        config.proxy_protocol = true;
        config.trusted_proxies = vec!["127.0.1.0/24", "127.0.2.0/23", "127.0.4.0/22", "127.0.8.0/21"]
            .into_iter()
            .chain(["127.0.16.0/20", "127.0.32.0/19", "127.0.64.0/18", "127.0.128.0/17"])
            .map(|network| network.parse().expect("a network"))
            .collect();
    };
    Siege::of(host().config(networks).config(change)).await
}

#[tokio::test]
async fn a_forged_header_of_an_untrusted_peer() {
    let stranger = |config: &mut Config| config.trusted_proxies = vec!["10.0.0.0/8".parse().expect("a network")];
    let siege = believing(stranger).await;
    let request = format!("{HEADER}GET /echo HTTP/1.1\r\nhost: x\r\n\r\n");
    siege.attack(siege.is_answered(request, 400)).await;
    siege.met("HTTP/1.1", |counted| counted.requests_malformed).await;
}

#[tokio::test]
async fn malformed_headers() {
    let siege = believing(|_| {}).await;
    let wrong: &[&[u8]] = &[
        b"GET /echo HTTP/1.1\r\nhost: x\r\n\r\n",
        b"PROXY TCP4 192.0.2.777 10.0.0.1 4660 80\r\n",
        b"PROXY TCP4 192.0.2.7 10.0.0.1 4660\r\n-----",
        &[b'P'; 4096],
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x03abc",
        b"\r\n\r\n\0\r\nQUIT\n\x99\x99\0\0",
    ];
    let attack = async {
        for header in wrong {
            let mut client = siege.dial().await;
            let _ = client.try_write(header).await;
            assert!(client.expect_end().await.is_empty(), "nothing is said to {header:?}");
        }
    };
    siege.attack(attack).await;
    siege.host.counts("each", |counted| counted.proxy_headers_refused == wrong.len() as u64).await;
    siege.met("proxy-protocol", |counted| counted.proxy_headers_refused).await;
}

#[tokio::test]
async fn half_a_header() {
    let siege = believing(|config| config.handshake_timeout = SHORT).await;
    let attack = async {
        let mut client = siege.dial().await;
        client.write(&HEADER[..20]).await;
        client.expect_end().await;
    };
    siege.attack(attack).await;
    siege.met("proxy-protocol", |counted| counted.proxy_headers_refused).await;
}

#[tokio::test]
async fn right_headers_of_both_versions() {
    let siege = believing(|_| {}).await;
    let second = [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"[..], &[192, 0, 2, 7, 10, 0, 0, 1, 0x12, 0x34, 0, 80]].concat();
    for header in [HEADER.as_bytes(), &second] {
        let mut client = siege.dial().await;
        client.write(header).await;
        client.upgrade("/probe/x").await;
        client.send(Frame::new(TEXT, "request")).await;
        let heard = client.hear().await.expect("the request, as the guest was shown it");
        let shown: Value = serde_json::from_slice(&heard.payload).expect("it is JSON");
        assert_eq!(shown["remote"], "192.0.2.7:4660");
    }
}

#[tokio::test]
async fn the_client_that_a_header_names_is_held_to_its_limits() {
    let mut siege = believing(|config| config.max_connections_per_address = 2).await;
    let mut kept = Vec::new();
    for _ in 0..2 {
        let mut client = siege.dial().await;
        client.write(HEADER).await;
        client.upgrade("/echo").await;
        kept.push(client);
    }
    let request = format!("{HEADER}GET /echo HTTP/1.1\r\nhost: x\r\n\r\n");
    siege.attack(siege.is_answered(request, 503)).await;
    siege.attacker = IpAddr::from([192, 0, 2, 7]);
    siege.met("max-connections-per-address", |counted| counted.over_address_capacity).await;
}
