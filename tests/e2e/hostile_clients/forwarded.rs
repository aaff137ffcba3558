//! Clients that lie about their address, and proxies that tell the truth: header fields.

use super::host;
use crate::harness::frames::{Frame, TEXT};
use crate::harness::raw::{RawClient, handshake};
use crate::harness::siege::Siege;
use crate::harness::wait::{BOUND, until};
use lakou_host::{Config, ForwardedHeader};
use serde_json::Value;

/// The address that the guest is shown.
async fn remote(mut client: RawClient, headers: &str) -> String {
    client.upgrade_with("/probe/x", headers).await;
    client.send(Frame::new(TEXT, "request")).await;
    let heard = client.hear().await.expect("the request, as the guest was shown it");
    let shown: Value = serde_json::from_slice(&heard.payload).expect("it is JSON");
    shown["remote"].as_str().expect("there is an address").to_owned()
}

fn few_handshakes(config: &mut Config) {
    (config.max_handshakes_per_second, config.handshake_burst) = (1, 3);
}

/// Asks again and again, as another client each time, and is refused all the same.
async fn does_not_pass(field: &str) {
    let siege = Siege::of(host().config(few_handshakes).config(|config| {
        config.trusted_proxies = vec!["10.0.0.0/8".parse().expect("a network")];
        if field == "forwarded: for=" {
            config.forwarded_header = ForwardedHeader::Forwarded;
        }
    }))
    .await;
    let attack = async {
        for number in 0.. {
            let mut client = siege.dial().await;
            client.write(handshake("/echo", &format!("{field}192.0.2.{}\r\n", number % 256))).await;
            if client.head().await.starts_with("HTTP/1.1 429 ") {
                break;
            }
            assert!(number < 50, "the attacker passes for others");
        }
    };
    siege.attack(attack).await;
    siege.met("max-handshakes-per-second", |counted| counted.handshakes_limited).await;
}

#[tokio::test]
async fn a_forged_x_forwarded_for() {
    does_not_pass("x-forwarded-for: ").await;
}

#[tokio::test]
async fn a_forged_forwarded() {
    does_not_pass("forwarded: for=").await;
}

#[tokio::test]
async fn an_untrusted_peer_is_shown_as_it_is() {
    let siege = Siege::of(host()).await;
    let client = siege.dial().await;
    let shown = remote(client, "x-forwarded-for: 192.0.2.1\r\nforwarded: for=192.0.2.1\r\n").await;
    assert!(shown.starts_with(&format!("{}:", siege.attacker)), "{shown}");
}

/// A host that believes the attacker, who is a proxy here.
async fn believing(change: impl FnOnce(&mut Config)) -> Siege {
    let networks = |config: &mut Config| config.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    Siege::of(host().config(networks).config(change)).await
}

#[tokio::test]
async fn a_trusted_proxy_names_the_client() {
    let siege = believing(|_| {}).await;
    let fields = "x-forwarded-for: 6.6.6.6, 192.0.2.1, 127.9.9.9\r\nforwarded: for=192.0.2.9\r\n";
    assert_eq!(remote(siege.dial().await, fields).await, "192.0.2.1:0");
    let siege = believing(|config| config.forwarded_header = ForwardedHeader::Forwarded).await;
    let fields = "x-forwarded-for: 192.0.2.9\r\nforwarded: for=\"[2001:db8::1]:99\";proto=https\r\n";
    assert_eq!(remote(siege.dial().await, fields).await, "[2001:db8::1]:99");
}

#[tokio::test]
async fn limits_are_those_of_the_client_behind_the_proxy() {
    let siege = believing(|config| {
        few_handshakes(config);
        config.max_connections_per_address = 2;
    })
    .await;
    let behind = |address: &str| format!("x-forwarded-for: {address}\r\n");
    let mut kept = Vec::new();
    for address in ["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2", "192.0.2.3"] {
        let mut client = siege.dial().await;
        client.upgrade_with("/echo", &behind(address)).await;
        kept.push(client);
    }
    let mut client = siege.dial().await;
    client.write(handshake("/echo", &behind("192.0.2.1"))).await;
    assert!(client.head().await.starts_with("HTTP/1.1 503 "), "its two places are taken");
    assert_eq!(siege.host.counted().over_address_capacity, 1);
}

#[tokio::test]
async fn an_answer_keeps_the_place_of_the_client_behind_the_proxy() {
    let siege = believing(|config| config.max_connections_per_address = 1).await;
    let ask = async |path: &str, address: &str| {
        let mut client = siege.dial().await;
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nx-forwarded-for: {address}\r\n");
        client.write(format!("{head}transfer-encoding: chunked\r\n\r\n")).await;
        client
    };
    let status = async |address: &str| {
        let mut client = ask("/probe/x", address).await;
        client.write("0\r\n\r\n").await;
        client.head().await.split(' ').nth(1).expect("a status").to_owned()
    };
    // The first half of the answer comes at once, the second when the request goes on.
    let mut slow = ask("/breaks-off/well", "192.0.2.1").await;
    assert!(slow.head().await.starts_with("HTTP/1.1 200 "));
    assert_eq!(status("192.0.2.1").await, "503", "its place is taken");
    assert_eq!(status("192.0.2.2").await, "200", "another client of the same proxy");
    slow.write("1\r\nx\r\n0\r\n\r\n").await;
    until(BOUND, "the place is given back", async || status("192.0.2.1").await == "200").await;
    assert!(siege.host.counted().over_address_capacity > 0);
}
