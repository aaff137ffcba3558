//! The auction against the SDK's fake host: native, without a server.

use std::cell::Cell;

use lakou_sdk::testing::{Client, Host};
use lakou_sdk::{Controller, Request, Result, Socket, Value, controller, json, keyvalue};

use super::lot::{self, Lot, Outcome};
use super::{Auction, PROTOCOL};

/// In the place of the example `announce`: of its name, with its method, and with one for what is multicast.
struct Announce {
    socket: Socket,
}

#[controller(path = "/announce")]
impl Controller for Announce {
    fn open(socket: Socket, _request: Request) -> Self {
        Self { socket }
    }

    #[event]
    fn announced(&mut self, text: &str) -> Result {
        self.socket.send(text)
    }

    #[event]
    fn lot_sold(&mut self, lot: &str, bidder: &str, amount: u64) -> Result {
        self.socket.send(format!("{lot} {bidder} {amount}"))
    }
}

fn request(path: &str) -> Request {
    Request::get(path).with_subprotocol("auction.v0").with_subprotocol(PROTOCOL)
}

/// A bidder who has seen the lot as it is.
fn bidder(host: &Host, name: &str) -> Client {
    let client = host.connect::<Auction>(request(&format!("/auction/vase?name={name}"))).expect("names that fit");
    assert_eq!(client.json().len(), 1);
    client
}

fn bid(client: &Client, amount: u64) {
    client.call("bid", json!({ "amount": amount }));
}

fn told(event: &str, bidder: &str, amount: u64) -> Value {
    json!({ "event": event, "bidder": bidder, "amount": amount })
}

fn refused(sold: bool, bidder: &str, amount: u64) -> Value {
    json!({ "event": "refused", "sold": sold, "bidder": bidder, "amount": amount })
}

fn lot(bidder: &str, amount: u64) -> Lot {
    Lot { amount, bidder: bidder.to_owned(), sold: false }
}

#[test]
fn the_higher_bid_counts() {
    let host = Host::new();
    let [ann, ben] = ["ann", "ben"].map(|name| bidder(&host, name));
    bid(&ann, 20);
    bid(&ben, 20);
    bid(&ben, 30);
    assert_eq!(ann.json(), [told("bid", "ann", 20), told("bid", "ben", 30)]);
    assert_eq!(ben.json(), [told("bid", "ann", 20), refused(false, "ann", 20), told("bid", "ben", 30)]);
    let late = host.connect::<Auction>(request("/auction/vase?name=cat")).expect("names that fit");
    assert_eq!(late.json(), [told("bid", "ben", 30)]);
    let other = host.connect::<Auction>(request("/auction/rug?name=dan")).expect("names that fit");
    assert_eq!(other.json(), [told("bid", "", 0)]);
}

#[test]
fn whoever_was_faster_is_compared_with() {
    let host = Host::new();
    let ann = bidder(&host, "ann");
    for (rival, outcome) in [(15, Outcome::Changed(lot("ann", 20))), (25, Outcome::Refused(lot("ben", 25)))] {
        let asked = Cell::new(0);
        let raise = |seen: &Lot| {
            // Between the look at the lot and the swap, as it would be on another server.
            if asked.replace(asked.get() + 1) == 0 {
                keyvalue::set_json("lot/vase", &lot("ben", rival)).expect("a value");
            }
            (seen.amount < 20).then(|| lot("ann", 20))
        };
        host.set_value("lot/vase", r#"{"amount":10,"bidder":"cat","sold":false}"#);
        assert_eq!(ann.inspect(|_: &mut Auction| lot::update("vase", raise)), Ok(outcome));
        assert_eq!(asked.get(), 2);
    }
}

#[test]
fn a_crowd_is_not_waited_for() {
    let host = Host::new();
    let ann = bidder(&host, "ann");
    let raise = |seen: &Lot| {
        keyvalue::set_json("lot/vase", &lot("ben", seen.amount + 1)).expect("a value");
        Some(lot("ann", 1000))
    };
    let fault = ann.inspect(|_: &mut Auction| lot::update("vase", raise)).expect_err("always too late");
    assert!(fault.to_string().contains("faster"), "{fault}");
}

#[test]
fn without_the_store_a_bidder_is_to_try_again() {
    let host = Host::new();
    let ann = bidder(&host, "ann");
    host.lose_store();
    bid(&ann, 20);
    assert_eq!(ann.json(), [json!({ "event": "try_again" })]);
    host.regain_store();
    bid(&ann, 20);
    assert_eq!(ann.json(), [told("bid", "ann", 20)]);
}

#[test]
fn a_lower_bid_that_comes_late_is_old_news() {
    let host = Host::new();
    let ann = bidder(&host, "ann");
    bid(&ann, 30);
    host.broadcast("auction", super::AuctionEvents::raised("vase", "ben", 20));
    assert_eq!(ann.json(), [told("bid", "ann", 30)]);
}

#[test]
fn a_lot_is_sold_once_and_everybody_is_told() {
    let host = Host::new();
    let [ann, ben] = ["ann", "ben"].map(|name| bidder(&host, name));
    let listener = host.connect::<Announce>("/announce").expect("open to all");
    ben.call("hammer", json!({}));
    bid(&ann, 20);
    ben.call("hammer", json!({}));
    ben.call("hammer", json!({}));
    bid(&ben, 30);
    assert_eq!(ann.json(), [told("bid", "ann", 20), told("sold", "ann", 20)]);
    let heard = ben.json();
    assert_eq!(heard[..2], [refused(false, "", 0), told("bid", "ann", 20)]);
    assert_eq!(heard.iter().filter(|heard| **heard == refused(true, "ann", 20)).count(), 2);
    assert_eq!(heard.iter().filter(|heard| **heard == told("sold", "ann", 20)).count(), 1);
    assert_eq!(listener.texts(), ["vase ann 20", "vase: sold to ann for 20"]);
}

#[test]
fn without_a_grant_the_bidders_are_told_all_the_same() {
    let host = Host::new();
    host.deny("all");
    host.deny("controller:announce");
    let ann = bidder(&host, "ann");
    let listener = host.connect::<Announce>("/announce").expect("open to all");
    bid(&ann, 20);
    ann.call("hammer", json!({}));
    assert_eq!(ann.json(), [told("bid", "ann", 20), told("sold", "ann", 20)]);
    assert!(listener.received().is_empty());
    assert!(host.log()[0].contains("controller:announce"), "{:?}", host.log());
}

#[test]
fn bidders_are_asked_to_come_back_and_find_their_bids() {
    let host = Host::new();
    let ann = bidder(&host, "ann");
    bid(&ann, 20);
    host.shutdown();
    assert_eq!(ann.json(), [told("bid", "ann", 20), json!({ "event": "come_back" })]);
    assert_eq!(ann.closing().map(|closing| closing.code), Some(1001));
    let again = host.connect::<Auction>(request("/auction/vase?name=ann")).expect("names that fit");
    assert_eq!(again.json(), [told("bid", "ann", 20)]);
}

#[test]
fn the_protocol_and_a_name_are_needed() {
    let host = Host::new();
    assert_eq!(bidder(&host, "ann").acceptance().subprotocol(), Some(PROTOCOL));
    let path = "/auction/vase?name=ann";
    for other in [Request::get(path), Request::get(path).with_subprotocol("auction.v0")] {
        let refusal = host.connect::<Auction>(other).expect_err("another protocol");
        assert_eq!(refusal.status(), 400);
    }
    let long = format!("/auction/{}?name=ann", "x".repeat(25));
    for path in ["/auction/vase", "/auction/vase?name=%20", "/auction/a%0Ab?name=ann", &long] {
        assert_eq!(host.connect::<Auction>(request(path)).expect_err(path).status(), 400, "{path}");
    }
}
