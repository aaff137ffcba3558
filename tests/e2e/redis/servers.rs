//! Three servers on one Redis are one to their clients: whoever calls, by whatever call, reaches all whom it should, in order,
//! and bothers nobody else.

use crate::harness::fleet::{entries_added, fleet, keys, known, listened_to, member, members, stream_of};
use crate::harness::redis::RedisServer;
use crate::harness::wait::{BOUND, until};
use crate::harness::ws::WsClient;

async fn hears_nothing(client: &mut WsClient) {
    client.exchange("echo silence", "silence").await;
}

#[tokio::test]
async fn events_reach_the_clients_of_all_servers() {
    let (_redis, [a, b, c]) = fleet::<3>().await;
    let mut sender = a.connect("/probe/x").await;
    let mut probes = [a.connect("/probe/x").await, b.connect("/probe/x").await, c.connect("/probe/x").await];
    let mut spares = [a.connect("/spare/x").await, b.connect("/spare/x").await, c.connect("/spare/x").await];
    sender.exchange("broadcast hello", "ok").await;
    for client in &mut probes {
        client.expect("told hello").await;
    }
    sender.exchange("multicast all", "ok").await;
    for client in probes.iter_mut().chain(&mut spares) {
        client.expect("told all").await;
    }
    hears_nothing(&mut sender).await;

    // From outside of a connection nobody is left out.
    for (way, word, receivers) in [("multicast", "post", 7), ("broadcast", "probes", 4)] {
        assert_eq!(b.ask("POST", &format!("/probe/{way}")).body(word).get().await.text(), "ok");
        let all = [&mut sender].into_iter().chain(&mut probes).chain(&mut spares);
        for client in all.take(receivers) {
            client.expect(&format!("told {word}")).await;
        }
    }
    sender.exchange("broadcast-to spare hey", "ok").await;
    for client in &mut spares {
        client.expect("told hey").await;
    }
    for client in [&mut sender].into_iter().chain(&mut probes).chain(&mut spares) {
        hears_nothing(client).await;
    }
}

#[tokio::test]
async fn publications_reach_the_subscribers_of_all_servers() {
    let (redis, [a, b, c]) = fleet::<3>().await;
    let mut subscribers =
        [a.connect("/spare/x?topic=news").await, b.connect("/probe/x?topic=news").await, c.connect("/probe/x").await];
    subscribers[2].exchange("subscribe news", "ok").await;
    listened_to(&redis, "news", 3).await;
    let mut sender = a.connect("/probe/x").await;
    sender.exchange("publish news hello", "ok").await;
    sender.exchange("publish-bytes news \0bytes", "ok").await;
    for client in &mut subscribers {
        client.expect("hello").await;
        client.expect_bytes(b"\0bytes").await;
        hears_nothing(client).await;
    }
    assert_eq!((a.counted().publications_received, b.counted().publications_received), (0, 2));

    subscribers[2].exchange("unsubscribe news", "ok").await;
    let [_, leaving, _] = subscribers;
    leaving.leave().await;
    listened_to(&redis, "news", 1).await;
}

#[tokio::test]
async fn a_unicast_is_a_matter_of_one_server() {
    let (redis, [a, b, c]) = fleet::<3>().await;
    let ((mut sender, own), (mut target, id), (mut other, third)) = (known(&a).await, known(&b).await, known(&c).await);
    let streams = [stream_of(&own), stream_of(&third), "lakou:all".to_owned(), "lakou:controller:probe".to_owned()];
    let added = async || {
        let mut added = Vec::new();
        for stream in &streams {
            added.push(entries_added(&redis, stream).await);
        }
        added
    };
    let (before, of_target) = (added().await, entries_added(&redis, &stream_of(&id)).await);
    let counted = c.counted();
    sender.exchange(&format!("unicast {id} for you"), "ok").await;
    target.expect("told for you").await;
    hears_nothing(&mut other).await;
    assert_eq!(entries_added(&redis, &stream_of(&id)).await, of_target + 1);
    assert_eq!(added().await, before);
    assert_eq!(c.counted().events_received, counted.events_received);
    until(BOUND, "what was read is removed", async || redis.cli(&["XLEN", &stream_of(&id)]).await == "0").await;
}

#[tokio::test]
async fn a_unicast_to_who_has_left_comes_back_across_servers() {
    let (_redis, [a, b, _c]) = fleet::<3>().await;
    let ((mut sender, _), (target, id)) = (known(&a).await, known(&b).await);
    target.leave().await;
    sender.expect("told left 1000 ").await;
    b.counts("it has left", |counted| counted.connections == 0).await;
    sender.exchange(&format!("unicast {id} are you there"), "ok").await;
    sender.expect(&format!(r#"undelivered {id} tell ["are you there"]"#)).await;
    // Nobody can be told of this one.
    sender.exchange(&format!("unicast-blindly {id} x"), "ok").await;
    b.counts("two did not arrive", |counted| counted.events_undelivered == 2).await;
    hears_nothing(&mut sender).await;
}

#[tokio::test]
async fn events_of_one_sender_stay_in_order_across_servers_and_kinds() {
    let (_redis, [a, b, c]) = fleet::<3>().await;
    let ((mut sender, _), (mut one, first), (mut two, second)) = (known(&a).await, known(&b).await, known(&c).await);
    let calls = |number| {
        [
            format!("multicast m{number}"),
            format!("broadcast b{number}"),
            format!("unicast {first} u{number}"),
            format!("unicast {second} u{number}"),
        ]
    };
    sender.say_all((0..1_000).flat_map(calls)).await;
    for client in [&mut one, &mut two] {
        for number in 0..1_000 {
            for kind in ["m", "b", "u"] {
                client.expect(&format!("told {kind}{number}")).await;
            }
        }
    }
    for _ in 0..4_000 {
        sender.expect("ok").await;
    }
}

#[tokio::test]
async fn who_has_just_started_hears_and_is_heard() {
    let (redis, [a]) = fleet::<1>().await;
    let mut old = a.connect("/probe/x").await;
    for _ in 0..5 {
        let host = member(&redis.url()).start().await;
        // The first thing that is done there, before anything else can have happened.
        assert_eq!(host.ask("POST", "/probe/multicast").body("born").get().await.text(), "ok");
        old.expect("told born").await;
        let (mut young, id) = known(&host).await;
        old.exchange(&format!("unicast {id} welcome"), "ok").await;
        young.expect("told welcome").await;
        young.leave().await;
        old.expect("told left 1000 ").await;
    }
}

#[tokio::test]
async fn applications_do_not_hear_each_other() {
    let redis = RedisServer::start().await;
    let url = redis.url();
    let [a] = members::<1>(&url).await;
    let others = [
        member(&url).config(|config| config.redis_prefix = "other".to_owned()).start().await,
        member(&redis.url_of_database(3)).start().await,
    ];
    let mut sender = a.connect("/probe/x?topic=news").await;
    for host in &others {
        let (mut stranger, id) = known(host).await;
        stranger.exchange("subscribe news", "ok").await;
        until(BOUND, "both listen", async || redis.cli(&["PUBSUB", "CHANNELS", "*"]).await.lines().count() == 2).await;
        for call in ["multicast x", "broadcast x", "publish news x", &format!("unicast {id} x")] {
            sender.say(call).await;
            sender.expect_after_others("ok").await;
            stranger.say(call).await;
            // Its own words only.
            let own = match call.split(' ').next() {
                Some("publish") => &["ok", "x"][..],
                Some("unicast") => &["ok", "told x"],
                _ => &["ok"],
            };
            let mut heard = Vec::new();
            for _ in own {
                heard.push(stranger.hear_text().await);
            }
            heard.sort();
            assert_eq!(heard, own);
        }
        hears_nothing(&mut stranger).await;
        stranger.leave().await;
        until(BOUND, "one listens", async || redis.cli(&["PUBSUB", "CHANNELS", "*"]).await.lines().count() == 1).await;
    }
}

#[tokio::test]
async fn who_stops_takes_its_keys_along() {
    let (redis, [a, b]) = fleet::<2>().await;
    let ((mut sender, own), (_target, id)) = (known(&a).await, known(&b).await);
    let before = keys(&redis).await;
    assert!(before.contains(&stream_of(&id)) && before.contains(&format!("{}:lease", stream_of(&id))), "{before:?}");
    b.stop().await;
    let left = keys(&redis).await;
    assert!(!left.iter().any(|key| key.starts_with(&stream_of(&id))), "{left:?}");
    assert_eq!(redis.cli(&["ZCARD", "lakou:servers"]).await, "1");
    // It is not known to be dead yet, and what is sent to it is not lost.
    sender.say(&format!("unicast {id} hello")).await;
    sender.expect_after_others(&format!(r#"undelivered {id} tell ["hello"]"#)).await;

    a.stop().await;
    let left = keys(&redis).await;
    assert!(!left.iter().any(|key| key.starts_with(&stream_of(&own))), "{left:?}");
    for key in left {
        let expires: i64 = redis.cli(&["PTTL", &key]).await.parse().expect("a number");
        assert!(expires > 0, "{key} stays for ever");
    }
}
