//! Identities across servers.

use super::post::{Post, office, split};
use crate::harness::binary::{self, Call};
use crate::harness::host::TestHost;
use crate::harness::redis::RedisServer;
use crate::harness::wait::{BOUND, until, within_bound};
use rustix::process::Signal;
use std::time::Duration;

async fn three() -> (RedisServer, [TestHost; 3]) {
    let redis = RedisServer::start().await;
    let url = redis.url();
    let start = || office().redis(&url).start();
    let hosts = [start().await, start().await, start().await];
    (redis, hosts)
}

#[tokio::test]
async fn a_holder_is_notified_wherever_it_is() {
    let (_redis, [a, b, c]) = three().await;
    let mut ann = Post::registered(&b, "ann 2").await;
    let mut teller = Post::at(&a).await;
    for number in 0..20 {
        teller.notify("ann", &format!("{number}")).await;
        ann.told("ann", &format!("{number}")).await;
    }
    // Who comes later gets what nobody is known to have handled.
    b.counts("all of them are noted", |counted| counted.notifications_handled == 20).await;
    let mut again = Post::registered(&c, "ann 2").await;
    teller.notify("ann", "both").await;
    ann.told("ann", "both").await;
    again.told("ann", "both").await;
    teller.answered("registered ann", "true").await;
    teller.answered("registered bob", "false").await;
}

#[tokio::test]
async fn the_newest_win_across_servers() {
    let (_redis, [a, b, c]) = three().await;
    let mut first = Post::registered(&a, "ann").await;
    let mut second = Post::registered(&b, "ann").await;
    first.client.expect("replaced ann").await;
    let mut teller = Post::at(&c).await;
    teller.notify("ann", "you").await;
    second.told("ann", "you").await;
    first.quiet().await;
}

#[tokio::test]
async fn a_hundred_at_once_leave_three_and_the_same_three_for_all() {
    let (_redis, hosts) = three().await;
    let mut posts = Vec::new();
    for number in 0..100 {
        posts.push(Post::at(&hosts[number % 3]).await);
    }
    for post in &mut posts {
        post.client.say("register crowd 3").await;
    }
    let mut teller = Post::at(&hosts[0]).await;
    until(BOUND, "somebody is registered", async || {
        teller.client.say("registered crowd").await;
        teller.client.hear_text().await == "true"
    })
    .await;
    // All but three are told that they are replaced.
    let mut replaced = 0;
    let mut holders = Vec::new();
    for (number, post) in posts.iter_mut().enumerate() {
        post.client.expect_after_others("ok").await;
        let _ = number;
    }
    until(BOUND, "all but three are replaced", async || {
        hosts.iter().map(|host| host.counted().identities_replaced).sum::<u64>() == 97
    })
    .await;
    for round in 0..5 {
        teller.notify("crowd", &format!("round {round}")).await;
    }
    for (number, post) in posts.iter_mut().enumerate() {
        post.client.say("echo end").await;
        let mut told = 0;
        loop {
            let text = within_bound(BOUND, "an answer", post.client.hear_text()).await;
            if text == "replaced crowd" {
                replaced += 1;
            } else if split(&text, "crowd").is_some() {
                told += 1;
                if told == 5 {
                    holders.push(number);
                }
            } else if text == "end" {
                break;
            }
        }
        // Those that hold it may still be waiting for the rest.
        while (1..5).contains(&told) {
            let text = post.client.hear_text().await;
            assert!(split(&text, "crowd").is_some(), "{text}");
            told += 1;
            if told == 5 {
                holders.push(number);
            }
        }
    }
    assert_eq!((replaced, holders.len()), (97, 3), "{holders:?}");
}

#[tokio::test]
async fn the_holders_of_a_dead_server_vanish() {
    let redis = RedisServer::start().await;
    let call = Call::serve().guests(&["postbox"]).anywhere().args(&["--redis", &redis.url()]);
    let (mut dying, address) = call.listening().await;
    let host = office().redis(&redis.url()).start().await;
    let mut ann = Post::of(address).await;
    ann.ok("register ann 2").await;
    let mut teller = Post::at(&host).await;
    teller.notify("ann", "alive").await;
    ann.told("ann", "alive").await;
    dying.signal(Signal::KILL);
    dying.ended().await;
    teller.notify("ann", "one").await;
    // Who comes back gets it, and does not wait for the dead one.
    let mut again = Post::registered(&host, "ann 2").await;
    let heard = again.client.hear_text().await;
    match split(&heard, "ann") {
        // The server has died before it could say that this was handled: it comes again.
        Some((_, "alive")) => {
            again.told("ann", "one").await;
        }
        Some((_, "one")) => {}
        _ => panic!("{heard}"),
    }
    let holders = async || {
        let fields = redis.cli(&["HKEYS", "lakou:identity:{ann}"]).await;
        fields.lines().filter(|field| field.starts_with("holder:")).count()
    };
    until(Duration::from_secs(15), "one holds it", async || holders().await == 1).await;
    let mut other = binary::connect(host.address, "/postbox/x").await;
    other.exchange("registered ann", "true").await;
}

#[tokio::test]
async fn the_documented_command_notifies() {
    let (redis, [a, b, _c]) = three().await;
    let page = include_str!("../../../docs/wire-format.md");
    let line = page.lines().find(|line| line.contains("XADD lakou:notify")).expect("the command");
    let line = line.split('#').next().expect("the command").trim().strip_prefix("redis-cli ").expect("it is one");
    let words: Vec<String> = line
        .split('\'')
        .enumerate()
        .flat_map(|(index, part)| match index % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .map(|word| if word == "mail" { "note".to_owned() } else { word })
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // Nobody is known by this name yet.
    redis.cli(&words).await;
    until(BOUND, "it is for nobody", async || {
        a.counted().notifications_unknown + b.counted().notifications_unknown + _c.counted().notifications_unknown == 1
    })
    .await;
    let mut user = Post::registered(&a, "user:42").await;
    for _ in 0..10 {
        redis.cli(&words).await;
    }
    for _ in 0..10 {
        user.told("user:42", "hello").await;
    }
    redis.cli(&["XADD", "lakou:notify", "*", "v", "1", "event", "note"]).await;
    redis.cli(&["XADD", "lakou:notify", "*", "v", "1", "identity", "user:42", "event", "note", "args", "x"]).await;
    until(BOUND, "what is wrong is removed, too", async || redis.cli(&["XLEN", "lakou:notify"]).await == "0").await;
    user.quiet().await;
}

#[tokio::test]
async fn a_key_of_a_wrong_type_is_the_trouble_of_one_identity() {
    crate::harness::logs::collect();
    let (redis, [a, _b, _c]) = three().await;
    let mut user = Post::registered(&a, "user:43").await;
    redis.cli(&["SET", "lakou:identity:{user:42%0A}", "x"]).await;
    for (identity, args) in [("user:42\n", r#"["lost"]"#), ("user:43", r#"["found"]"#)] {
        redis.cli(&["XADD", "lakou:notify", "*", "v", "1", "identity", identity, "event", "note", "args", args]).await;
    }
    user.told("user:43", "found").await;
    // In the log on one line, whatever it is called.
    crate::harness::logs::expect(&["can not be stored", "user:42\\n", "WRONGTYPE"]).await;
    until(BOUND, "both are done with", async || redis.cli(&["XLEN", "lakou:notify"]).await == "0").await;
}

#[tokio::test]
async fn a_redis_that_is_away_is_a_fault_and_no_more() {
    let mut redis = RedisServer::with(&["--appendonly", "yes", "--appendfsync", "always"]).await;
    let host = office().redis(&redis.url()).start().await;
    let mut ann = Post::registered(&host, "ann").await;
    let mut teller = Post::at(&host).await;
    teller.notify("ann", "before").await;
    ann.told("ann", "before").await;
    let leaving = Post::registered(&host, "bob").await;
    redis.kill();
    teller.answered_so("notify ann x", "unavailable: ").await;
    teller.answered_so("registered ann", "unavailable: ").await;
    teller.answered_so("register carl", "unavailable: ").await;
    leaving.client.leave().await;
    redis.restart().await;
    host.is_connected().await;
    teller.notify("ann", "after").await;
    ann.told("ann", "after").await;
    until(BOUND, "the store learns who has left", async || {
        !redis.cli(&["HKEYS", "lakou:identity:{bob}"]).await.contains("holder:")
    })
    .await;
    assert_eq!(host.counted().traps, 0);
}
