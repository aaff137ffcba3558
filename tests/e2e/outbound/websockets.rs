//! WebSockets of guests to servers elsewhere: to where they are granted and nowhere else; their objects are connections like
//! any other; what fails is told.

use crate::harness::binary::{Call, connect};
use crate::harness::feed::Feed;
use crate::harness::front::Front;
use crate::harness::host::{Furnished, TestHost};
use crate::harness::redis::RedisServer;
use crate::harness::wait::eventually;
use crate::harness::ws::WsClient;
use std::path::Path;
use std::time::Duration;

const NOT_THIS_ADDRESS: &str = "denied: the address of this server is not granted, see the host's log";

fn serving(granted: &[&str]) -> Furnished {
    let granted: Vec<_> = granted.iter().map(|entry| entry.parse().expect("a destination")).collect();
    TestHost::serving(&["wires", "echo"]).config(|config| {
        config.overrides.entry("wires".into()).or_default().grants.websocket = granted;
        config.guest.call_time = Duration::from_secs(8);
    })
}

async fn host(granted: &[&str]) -> TestHost {
    serving(granted).start().await
}

/// Asks for a connection and gives the answer, an id or a fault, and what is heard of it first.
async fn ask(client: &mut WsClient, command: &str) -> String {
    client.say(command).await;
    client.hear_text().await
}

/// Opens one, which must come about.
async fn open(client: &mut WsClient, command: &str) -> String {
    let id = ask(client, command).await;
    assert_eq!(id.len(), 36, "{command}: {id}");
    client.expect_start("open ").await;
    id
}

#[tokio::test]
async fn without_a_grant_it_is_not_loaded() {
    let host = TestHost::with(&["wires", "echo"]).await;
    assert_eq!((host.mounts.len(), host.rejected.len()), (1, 1), "{:?}", host.rejected);
    for word in ["wires.wasm", "lakou:controller/client", "websocket = [\"wss://", "[controller.wires]"] {
        assert!(host.rejected[0].contains(word), "{word}: {}", host.rejected[0]);
    }
}

#[tokio::test]
async fn parameters_have_a_number_even_if_nothing_is_in_them() {
    let feed = Feed::start().await;
    let host = host(&[&feed.url("")]).await;
    let mut client = host.connect("/wires").await;
    let hand_on = |count: u32| format!("hand-on {} {count}", feed.url("/feed"));
    client.exchange(&hand_on(128), "ok").await;
    client.exchange(&hand_on(129), "invalid: there are at most 128 parameters, of 16384 bytes in all").await;
}

#[tokio::test]
async fn what_is_granted_is_a_connection_like_any_other() {
    let feed = Feed::start().await;
    let host = host(&[&feed.url("")]).await;
    let mut client = host.connect("/wires").await;
    let id = ask(&mut client, &format!("connect {} v2.word", feed.url("/feed?a=b"))).await;
    client.expect("open /feed a=b v2.word [v2.word]").await;
    eventually("the feed has a listener", || feed.listeners() == 1).await;
    feed.say("hello");
    client.expect("heard hello").await;
    // Another connection reaches it by its id.
    let mut other = host.connect("/wires").await;
    other.exchange(&format!("say {id} from another"), "ok").await;
    client.expect("heard echo from another").await;
    host.counts("outward and outward_opened", |counted| (counted.outward, counted.outward_opened) == (1, 1)).await;

    // It closes itself, and is gone.
    other.exchange(&format!("say {id} close"), "ok").await;
    client.expect("closed 4001").await;
    host.counts("none is left", |counted| counted.outward == 0).await;
    other.say(&format!("say {id} anybody")).await;
    other.expect("ok").await;
    other.expect("undelivered say").await;

    // It is not wanted any more; it ends with who has opened it.
    let id = open(&mut client, &format!("connect {}", feed.url("/feed"))).await;
    client.exchange(&format!("drop {id}"), "ok").await;
    client.expect("closed 1000").await;
    open(&mut client, &format!("keep {}", feed.url("/feed"))).await;
    client.leave().await;
    host.counts("none is left", |counted| counted.outward == 0).await;
    eventually("nobody listens", || feed.listeners() == 0).await;
    assert_eq!(feed.visits(), 3);
}

#[tokio::test]
async fn a_loopback_address_is_out_of_reach_under_every_spelling() {
    let feed = Feed::start().await;
    let spellings =
        ["127.0.0.1", "localhost", "LOCALHOST.", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "0.0.0.0"];
    for granted in [["wss://feed.example.org", "ws://10.0.0.1"], ["ws://*:*", "wss://*:*"]] {
        let host = host(&granted).await;
        let mut client = host.connect("/wires").await;
        for spelling in spellings {
            let answer = ask(&mut client, &format!("connect {}", feed.at(spelling, "/feed"))).await;
            let refused = answer.starts_with("denied: not granted: websocket = [")
                || answer == NOT_THIS_ADDRESS
                // A resolver that does not know such a spelling.
                || answer.ends_with("has no address");
            assert!(refused, "{granted:?} {spelling}: {answer}");
        }
        assert!(host.counted().denied >= 5, "{:?}", host.counted());
    }
    assert_eq!(feed.visits(), 0);
}

#[tokio::test]
async fn a_name_that_is_at_loopback_has_to_be_listed_as_such() {
    let feed = Feed::start().await;
    for (granted, reached) in [
        (feed.at("localhost", ""), true),
        (feed.at("*", ""), false),
        (format!("{} private", feed.at("*", "")), false),
        (format!("{} loopback", feed.at("*", "")), true),
        (feed.url(""), false),
    ] {
        let host = host(&[&granted]).await;
        let mut client = host.connect("/wires").await;
        let answer = ask(&mut client, &format!("connect {}", feed.at("localhost", "/feed"))).await;
        assert_eq!(!answer.starts_with("denied: "), reached, "{granted}: {answer}");
    }
}

#[tokio::test]
async fn who_does_not_agree_is_told_of() {
    let (mut feed, other) = (Feed::start().await, Feed::start().await);
    let host =
        serving(&[&feed.url("")]).config(|config| config.handshake_timeout = Duration::from_millis(500)).start().await;
    let mut client = host.connect("/wires").await;
    for (path, answer) in [
        ("/refuse", "unavailable: the server answered 403 Forbidden"),
        ("/silence", "unavailable: not connected within "),
        ("/odd", "unavailable: no handshake: "),
        (&format!("/to?{}", other.url("/feed")), "unavailable: the server answered 302 Found"),
    ] {
        client.say(&format!("connect {}", feed.url(path))).await;
        client.expect_start(answer).await;
    }
    for url in ["http://127.0.0.1/", "feed", "ws://a@127.0.0.1/", "ws://127.0.0.1/#x"] {
        client.say(&format!("connect {url}")).await;
        client.expect_start("invalid: ").await;
    }
    feed.go_away().await;
    client.say(&format!("connect {}", feed.url("/feed"))).await;
    client.expect_start("unavailable: not connected: ").await;
    host.counts("none is left", |counted| (counted.outward, counted.outward_failed) == (0, 5)).await;
    assert_eq!(other.visits(), 0);
}

#[tokio::test]
async fn messages_have_the_same_limit_as_those_of_clients() {
    let feed = Feed::start().await;
    let host = host(&[&feed.url("")]).await;
    let mut client = host.connect("/wires").await;
    open(&mut client, &format!("connect {}", feed.url("/large"))).await;
    client.expect("closed 1009").await;
    host.counts("none is left", |counted| counted.outward == 0).await;
    host.connect("/echo").await.exchange("still here", "still here").await;
}

#[tokio::test]
async fn a_trap_ends_the_connection_that_it_was_for() {
    let feed = Feed::start().await;
    let host = host(&[&feed.url("")]).await;
    let mut client = host.connect("/wires").await;
    let id = open(&mut client, &format!("connect {}", feed.url("/feed"))).await;
    client.exchange(&format!("say {id} trap"), "ok").await;
    host.counts("it has ended", |counted| counted.outward == 0 && counted.traps == 1).await;
    // The client was in another sandbox, and is as it was. What a server says makes no difference.
    open(&mut client, &format!("keep {}", feed.url("/trap"))).await;
    client.expect_start("open /trap").await;
    host.counts("it has trapped again", |counted| counted.traps >= 3 && counted.outward == 1).await;
    host.connect("/echo").await.exchange("still here", "still here").await;
}

#[tokio::test]
async fn what_is_lost_is_opened_again_under_the_same_id() {
    let mut feed = Feed::start().await;
    let host = host(&[&feed.url("")]).await;
    let mut client = host.connect("/wires").await;
    let id = open(&mut client, &format!("keep {}", feed.url("/feed"))).await;
    feed.go_away().await;
    client.expect_start("closed 1006").await;
    client.say(&format!("say {id} nobody hears this")).await;
    client.expect("ok").await;
    client.expect("undelivered say").await;
    host.counts("it is tried again", |counted| counted.outward_failed >= 1).await;
    feed.come_back().await;
    client.expect_start("open /feed").await;
    client.exchange(&format!("say {id} hello again"), "ok").await;
    client.expect("heard echo hello again").await;
    host.counts("outward and outward_opened", |counted| (counted.outward, counted.outward_opened) == (1, 2)).await;

    // It is not opened again if it does not want to, or if nobody wants it to.
    client.exchange(&format!("say {id} close"), "ok").await;
    client.expect("closed 4001").await;
    host.counts("none is left", |counted| counted.outward == 0).await;
    let id = open(&mut client, &format!("keep {}", feed.url("/feed"))).await;
    feed.go_away().await;
    client.expect_start("closed 1006").await;
    client.exchange(&format!("drop {id}"), "ok").await;
    host.counts("none is left", |counted| counted.outward == 0).await;
}

#[tokio::test]
async fn there_may_be_so_many_at_a_time() {
    let feed = Feed::start().await;
    let few = serving(&[&feed.url("")]).config(|config| {
        config.guest.max_outward = 2;
        config.drain_time = Duration::from_millis(100);
    });
    let mut host = few.start().await;
    let mut client = host.connect("/wires").await;
    let first = open(&mut client, &format!("connect {}", feed.url("/feed"))).await;
    open(&mut client, &format!("keep {}", feed.url("/feed"))).await;
    client.say(&format!("connect {}", feed.url("/feed"))).await;
    client.expect("unavailable: the controller has its 2 connections to other servers already").await;
    assert_eq!(host.counted().limits["wires"]["max-outward"], 1);
    client.exchange(&format!("drop {first}"), "ok").await;
    client.expect("closed 1000").await;
    host.counts("there is room", |counted| counted.outward == 1).await;
    open(&mut client, &format!("connect {}", feed.url("/feed"))).await;
    // A server that stops takes them along.
    host.begin_stop();
    client.finish().await;
    host.stopped().await;
    eventually("nobody listens", || feed.listeners() == 0).await;
}

#[tokio::test]
async fn it_is_reached_from_another_server() {
    let feed = Feed::start().await;
    let redis = RedisServer::start().await;
    let [here, there] =
        [serving(&[&feed.url("")]), serving(&["wss://feed.example.org"])].map(|host| host.redis(&redis.url()));
    let (here, there) = (here.start().await, there.start().await);
    let mut client = here.connect("/wires").await;
    let id = open(&mut client, &format!("connect {}", feed.url("/feed"))).await;
    let mut far = there.connect("/wires").await;
    far.exchange(&format!("say {id} from afar"), "ok").await;
    client.expect("heard echo from afar").await;
    feed.say("hello");
    client.expect("heard hello").await;
    client.exchange(&format!("drop {id}"), "ok").await;
    client.expect("closed 1000").await;
    far.exchange(&format!("say {id} anybody"), "ok").await;
    far.expect("undelivered say").await;
}

#[tokio::test]
async fn certificates_are_looked_at() {
    let feed = Feed::start().await;
    let (front, other) = (Front::before(feed.address).await, Front::before(feed.address).await);
    let url = format!("wss://localhost:{}", front.port);
    let granted = format!("[controller.wires]\nwebsocket = [\"{url}\"]\n");
    let serve = async |authority: &Path| {
        let call = Call::serve().guests(&["wires"]).file("lakou.toml", &granted).anywhere();
        call.env("SSL_CERT_FILE", authority.to_str().expect("UTF-8")).listening().await
    };
    let (_trusting, address) = serve(&front.authority).await;
    let mut client = connect(address, "/wires").await;
    open(&mut client, &format!("connect {url}/feed")).await;
    feed.say("hello");
    client.expect("heard hello").await;

    let (_wary, address) = serve(&other.authority).await;
    let answer = ask(&mut connect(address, "/wires").await, &format!("connect {url}/feed")).await;
    assert!(answer.starts_with("unavailable: the certificate is not trusted"), "{answer}");
}

#[tokio::test]
async fn schemes_are_listed_where_they_belong() {
    for (setting, wanted) in [("websocket = [\"https://a.org\"]", "wss://"), ("http = [\"wss://a.org\"]", "https://")] {
        let settings = format!("[controller.wires]\n{setting}\n");
        let said = Call::serve().guests(&["wires"]).file("lakou.toml", &settings).anywhere().fails().await;
        assert!(said.len() == 1 && said[0].contains("controller.wires") && said[0].contains(wanted), "{said:?}");
    }
}
