//! `examples/auction`: bids on all instances, one sale, and who is told of it.

use crate::harness::binary::{Binary, Call};
use crate::harness::folder::Folder;
use crate::harness::host::TestHost;
use crate::harness::ws::{Knock, WsClient};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::net::SocketAddr;

/// A host with an auction that has a bucket and these grants, each bidder in a sandbox of its own.
async fn granting(granted: &[&str]) -> TestHost {
    let granted: Vec<_> = granted.iter().map(|entry| entry.parse().expect("an addressee")).collect();
    let host = TestHost::serving(&["auction", "announce"]).config(|config| {
        config.messaging = Vec::new();
        let auction = config.overrides.entry("auction".into()).or_default();
        auction.connections_per_instance = Some(1);
        auction.grants.keyvalue = true;
        auction.grants.messaging = Some(granted);
    });
    host.start().await
}

/// A bidder, who is told how the lot is.
async fn join(address: SocketAddr, name: &str, as_it_is: Value) -> WsClient {
    let knock = Knock::new(address, &format!("/auction/vase?name={name}"));
    let mut client = knock.subprotocols("auction.v2, auction.v1").open().await;
    assert_eq!(client.answer.headers()["sec-websocket-protocol"], "auction.v1");
    hears(&mut client, as_it_is).await;
    client
}

async fn bid(client: &mut WsClient, amount: u64) {
    client.say(&json!({ "event": "bid", "amount": amount }).to_string()).await;
}

async fn hammer(client: &mut WsClient) {
    client.say(r#"{"event":"hammer"}"#).await;
}

async fn hears(client: &mut WsClient, what: Value) {
    assert_eq!(client.expect_json().await, what);
}

fn told(event: &str, bidder: &str, amount: u64) -> Value {
    json!({ "event": event, "bidder": bidder, "amount": amount })
}

fn refused(sold: bool, bidder: &str, amount: u64) -> Value {
    json!({ "event": "refused", "sold": sold, "bidder": bidder, "amount": amount })
}

#[tokio::test]
async fn a_lot_goes_to_the_highest_bid_and_everybody_is_told() {
    let host = granting(&["controller:announce", "all"]).await;
    let mut listener = host.connect("/announce").await;
    let mut ann = join(host.address, "ann", told("bid", "", 0)).await;
    let mut ben = join(host.address, "ben", told("bid", "", 0)).await;
    hammer(&mut ben).await;
    hears(&mut ben, refused(false, "", 0)).await;
    bid(&mut ann, 20).await;
    for client in [&mut ann, &mut ben] {
        hears(client, told("bid", "ann", 20)).await;
    }
    bid(&mut ben, 20).await;
    hears(&mut ben, refused(false, "ann", 20)).await;
    hammer(&mut ben).await;
    for client in [&mut ann, &mut ben] {
        hears(client, told("sold", "ann", 20)).await;
    }
    listener.expect("vase: sold to ann for 20").await;
    bid(&mut ben, 30).await;
    hears(&mut ben, refused(true, "ann", 20)).await;
    join(host.address, "cat", told("sold", "ann", 20)).await.leave().await;
    assert_eq!((host.counted().denied, host.counted().misfits), (0, 0));
}

#[tokio::test]
async fn of_bids_at_the_same_time_none_is_lost() {
    const BIDDERS: u64 = 8;
    const HIGHEST: u64 = 10 * BIDDERS;
    let host = granting(&[]).await;
    let mut clients = Vec::new();
    for number in 0..BIDDERS {
        clients.push(join(host.address, &format!("b{number}"), told("bid", "", 0)).await);
    }
    for (number, client) in (1..).zip(&mut clients) {
        let bids = (0..10).map(|round| json!({ "event": "bid", "amount": round * BIDDERS + number }).to_string());
        client.say_all(bids).await;
    }
    for client in &mut clients {
        let mut highest = 0;
        while highest < HIGHEST {
            let heard = client.expect_json().await;
            let amount = heard["amount"].as_u64().expect("bids and refusals have one");
            if heard["event"] == "bid" {
                assert!(amount > highest, "{heard} after {highest}");
                highest = amount;
            }
        }
    }
    join(host.address, "late", told("bid", "b7", HIGHEST)).await.leave().await;
}

#[tokio::test]
async fn without_a_grant_only_bidders_are_told() {
    let host = granting(&[]).await;
    let mut listener = host.connect("/announce").await;
    let mut ann = join(host.address, "ann", told("bid", "", 0)).await;
    bid(&mut ann, 20).await;
    hears(&mut ann, told("bid", "ann", 20)).await;
    hammer(&mut ann).await;
    hears(&mut ann, told("sold", "ann", 20)).await;
    host.counts("two denials", |counted| counted.denied == 2).await;
    // Nothing has come before this.
    assert_eq!(host.ask("POST", "/announce").body("Dinner is ready").get().await.status, 202);
    listener.expect("Dinner is ready").await;
}

/// The real binary, which keeps its data in a folder.
async fn keeping(data: &Folder) -> (Binary, SocketAddr) {
    let data = data.path().to_str().expect("a path in UTF-8");
    let call = Call::serve().guests(&["auction"]).file("lakou.toml", "[controller.auction]\nkeyvalue = true\n");
    call.args(&["--data", data]).anywhere().listening().await
}

#[tokio::test]
async fn bidders_come_back_to_their_bids() {
    let data = Folder::new();
    let (mut binary, address) = keeping(&data).await;
    let mut ann = join(address, "ann", told("bid", "", 0)).await;
    bid(&mut ann, 20).await;
    hears(&mut ann, told("bid", "ann", 20)).await;
    binary.signal(Signal::TERM);
    hears(&mut ann, json!({ "event": "come_back" })).await;
    ann.expect_close(1001).await;
    assert_eq!(binary.ended().await.code(), Some(0), "{:?}", binary.stderr());
    let (_binary, address) = keeping(&data).await;
    join(address, "ann", told("bid", "ann", 20)).await.leave().await;
}

#[tokio::test]
async fn the_protocol_and_names_are_needed() {
    let host = granting(&[]).await;
    let path = "/auction/vase?name=ann";
    for knock in [host.knock(path), host.knock(path).subprotocols("auction.v2")] {
        assert!(knock.refused(400).await.text().contains("auction.v1"));
    }
    for path in ["/auction/vase", "/auction/vase?name=", "/auction/a%0Ab?name=ann"] {
        host.knock(path).subprotocols("auction.v1").refused(400).await;
    }
}

#[tokio::test]
async fn it_is_loaded_only_with_a_bucket() {
    let host = TestHost::with(&["auction"]).await;
    assert!(host.mounts.is_empty() && host.rejected[0].contains("keyvalue = true"), "{:?}", host.rejected);
}
