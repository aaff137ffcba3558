//! Programs that may write to the same Redis and mean no good: ids, numbers, leases and sizes that no server makes. Servers go on,
//! and each is counted and in the log.

use crate::harness::binary::{self, Call};
use crate::harness::fleet::{fleet, keys, known, member, stream_of};
use crate::harness::logs;
use crate::harness::redis::RedisServer;
use crate::harness::wait::{until, within_bound};
use crate::harness::ws::WsClient;
use rustix::process::Signal;
use std::time::Duration;

const LARGEST: &str = "18446744073709551615-18446744073709551615";

/// How soon what was spoilt is mended, on a machine with two cores for all tests.
const MENDED: Duration = Duration::from_secs(20);

/// An event that anybody can emit.
async fn forge(redis: &RedisServer, stream: &str, id: &str, more: &[&str]) -> String {
    let event = ["XADD", stream, id, "v", "1", "event", "tell", "args", "[\"forged\"]"];
    redis.cli(&[&event[..], more].concat()).await
}

/// Waits until what one client says arrives at the other, whatever else comes before.
async fn arrives(sender: &mut WsClient, command: &str, receiver: &mut WsClient, wanted: &str) {
    sender.say(command).await;
    sender.expect_after_others("ok").await;
    within_bound(MENDED, wanted, receiver.expect_after_others(wanted)).await;
}

#[tokio::test]
async fn the_largest_id_does_not_end_a_stream() {
    logs::collect();
    let (redis, [a, b]) = fleet::<2>().await;
    let ((mut sender, _), (mut receiver, id)) = (known(&a).await, known(&b).await);
    let own = stream_of(&id);
    let unicast = format!("unicast {id} ");
    let streams = [("lakou:all", "multicast "), ("lakou:controller:probe", "broadcast "), (&own, &unicast)];
    for (round, (stream, command)) in streams.into_iter().enumerate() {
        arrives(&mut sender, &format!("{command}before{round}"), &mut receiver, &format!("told before{round}")).await;
        forge(&redis, stream, LARGEST, &["to", &id]).await;
        within_bound(MENDED, "it is no worse than another event", receiver.expect_after_others("told forged")).await;
        arrives(&mut sender, &format!("{command}after{round}"), &mut receiver, &format!("told after{round}")).await;
        // One that is there no more leaves its mark as well.
        forge(&redis, stream, LARGEST, &["to", &id]).await;
        redis.cli(&["XDEL", stream, LARGEST]).await;
        arrives(&mut sender, &format!("{command}gone{round}"), &mut receiver, &format!("told gone{round}")).await;
        // And so it is with other programs.
        forge(&redis, stream, LARGEST, &["to", &id]).await;
        redis.cli(&["DEL", stream]).await;
        arrives(&mut sender, &format!("{command}anew{round}"), &mut receiver, &format!("told anew{round}")).await;
        forge(&redis, stream, "*", &["to", &id]).await;
        within_bound(MENDED, "programs are heard", receiver.expect_after_others("told forged")).await;
    }
    assert!(a.counted().redis_mended + b.counted().redis_mended >= 3);
    assert_eq!((a.counted().events_lost, b.counted().events_lost), (0, 0));
    logs::expect(&["the ids of lakou:controller:probe were in the future"]).await;
}

#[tokio::test]
async fn what_others_emit_in_good_order_survives_the_mending() {
    const EVENTS: u32 = 300;
    let (redis, [a, b]) = fleet::<2>().await;
    let ((mut sender, _), (mut receiver, _)) = (known(&a).await, known(&b).await);
    let mut heard = 0;
    for number in 0..EVENTS {
        sender.say(&format!("broadcast {number}")).await;
        sender.expect_after_others("ok").await;
        if number % 50 == 25 {
            forge(&redis, "lakou:controller:probe", LARGEST, &[]).await;
        }
    }
    within_bound(MENDED, "all arrive", async {
        while heard < EVENTS {
            match receiver.hear_text().await.strip_prefix("told ").expect("an event") {
                "forged" => {}
                number => {
                    assert_eq!(number.parse(), Ok(heard), "once and in order");
                    heard += 1;
                }
            }
        }
    })
    .await;
    assert_eq!((a.counted().events_lost, b.counted().events_lost), (0, 0));
}

#[tokio::test]
async fn notifications_of_programs_go_on_after_the_largest_id() {
    let redis = RedisServer::start().await;
    let host = crate::harness::host::TestHost::serving(&["postbox"]).redis(&redis.url()).start().await;
    let mut client = host.connect("/postbox/x").await;
    client.exchange("register ann", "ok").await;
    let notice = ["v", "1", "identity", "ann", "event", "note", "args", "[\"hello\"]"];
    let add = async |id| redis.cli(&[&["XADD", "lakou:notify", id], &notice[..]].concat()).await;
    assert_eq!(add(LARGEST).await, LARGEST);
    let first = within_bound(MENDED, "it is one like others", client.hear_text()).await;
    assert!(first.starts_with("ann ") && first.ends_with(" hello"), "{first}");
    until(MENDED, "the stream takes more", async || !add("*").await.contains("exhausted")).await;
    let next = within_bound(MENDED, "the next one comes", client.hear_text()).await;
    assert!(next.starts_with("ann ") && next.ends_with(" hello") && next != first, "{next}");
}

#[tokio::test]
async fn numbers_that_are_made_up_do_not_silence_a_server() {
    logs::collect();
    let (redis, [a, b]) = fleet::<2>().await;
    let ((mut sender, id), (mut receiver, _)) = (known(&a).await, known(&b).await);
    let stream = "lakou:controller:probe";
    let server = id.parse::<lakou_host::ConnectionId>().expect("an id").server().to_string();
    arrives(&mut sender, "broadcast first", &mut receiver, "told first").await;
    let malformed = b.counted().events_malformed;
    let impossible = [("18446744073709551615", "2"), ("9007199254740991", "2"), ("5", "7"), ("9", "0")];
    for (seq, index) in impossible {
        forge(&redis, stream, "*", &["sender", &server, "seq", seq, "index", index]).await;
    }
    arrives(&mut sender, "broadcast second", &mut receiver, "told second").await;
    assert_eq!(b.counted().events_malformed - malformed, 4);
    logs::expect(&["an entry is skipped: seq 18446744073709551615 with index 2 is no count of a server's"]).await;
    // What could be, but is not: the next index, later ones, far ones.
    for (round, (seq, index)) in [("1000", "3"), ("1000000", "900"), ("1000000000", "5")].into_iter().enumerate() {
        forge(&redis, stream, "*", &["sender", &server, "seq", seq, "index", index]).await;
        receiver.expect("told forged").await;
        for number in 0..20 {
            arrives(
                &mut sender,
                &format!("broadcast {round} {number}"),
                &mut receiver,
                &format!("told {round} {number}"),
            )
            .await;
        }
    }
    assert_eq!(b.counted().events_repeated, 0);
    logs::expect(&["contradict each other"]).await;
}

#[tokio::test]
async fn a_forged_lease_does_not_keep_a_dead_server() {
    let (redis, [a]) = fleet::<1>().await;
    let call = Call::serve().guests(&["probe"]).anywhere().args(&["--redis", &redis.url()]);
    let (mut dying, address) = call.listening().await;
    let (mut sender, _) = known(&a).await;
    let mut target = binary::connect(address, "/probe/x").await;
    target.say("id").await;
    let id = target.hear_text().await;
    let stream = stream_of(&id);
    dying.signal(Signal::KILL);
    dying.ended().await;
    redis.cli(&["SET", &format!("{stream}:lease"), "1"]).await;
    let server = id.parse::<lakou_host::ConnectionId>().expect("an id").server().to_string();
    redis.cli(&["ZADD", "lakou:servers", "+inf", &server, "+inf", "nobody", "9e15", "0123456789abcde"]).await;
    sender.exchange(&format!("unicast {id} one"), "ok").await;
    let back = format!(r#"undelivered {id} tell ["one"]"#);
    within_bound(MENDED, "it comes back", sender.expect(&back)).await;
    until(MENDED, "nothing is left of it", async || !keys(&redis).await.iter().any(|key| key.starts_with(&stream)))
        .await;
    until(MENDED, "only who lives is listed", async || redis.cli(&["ZCARD", "lakou:servers"]).await == "1").await;
    assert!(a.counted().redis_mended >= 2, "{}", a.counted().redis_mended);
}

#[tokio::test]
async fn large_entries_are_read_one_by_one_and_skipped() {
    const ENTRIES: u64 = 300;
    let redis = RedisServer::start().await;
    let a = member(&redis.url()).start().await;
    let call = Call::serve().guests(&["probe"]).anywhere().args(&["--redis", &redis.url()]);
    let (b, address) = call.listening().await;
    let mut client = binary::connect(address, "/probe/x").await;
    client.exchange("echo in", "in").await;
    let before = b.peak_memory();
    let script = format!(
        "for i = 1, {ENTRIES} do redis.call('XADD', KEYS[1], '*', 'v', '1', 'event', 'tell', 'args', string.rep('x', 1048576)) end"
    );
    redis.cli(&["EVAL", &script, "1", "lakou:all"]).await;
    redis.cli(&["XADD", "lakou:all", "*", "v", "1", "event", "tell", "args", "[\"on\"]"]).await;
    within_bound(MENDED, "what comes behind", client.expect("told on")).await;
    let took = b.peak_memory() - before;
    assert!(took < 100, "{took} MiB for entries of 1 MiB");
    b.logs(&["WARN", "an entry is skipped: it has 1048591 bytes"]).await;
    a.counts("each is counted", |counted| counted.events_malformed == ENTRIES).await;
}
