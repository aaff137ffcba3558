//! Keys and values of guests: the same scenarios with the values in memory, on disk and in a Redis.

use crate::harness::binary::{Call, connect};
use crate::harness::folder::Folder;
use crate::harness::guests;
use crate::harness::host::{Furnished, TestHost};
use crate::harness::redis::RedisServer;
use crate::harness::wait::within;
use crate::harness::wasm::patched;
use crate::harness::ws::WsClient;
use lakou_host::ControllerConfig;
use rustix::process::Signal;
use std::sync::Arc;

/// A host whose guest has a bucket, and what else `change` sets.
fn keeping(change: impl Fn(&mut ControllerConfig)) -> Furnished {
    TestHost::serving(&["keeps", "echo"]).config(|config| {
        let keeps = config.overrides.entry("keeps".into()).or_default();
        keeps.grants.keyvalue = true;
        change(keeps);
    })
}

/// Such a host on each store.
async fn on_each_store(change: impl Fn(&mut ControllerConfig)) -> [Furnished; 3] {
    let redis = Arc::new(RedisServer::start().await);
    [keeping(&change), keeping(&change).data(), keeping(&change).redis(&redis.url()).keeping(redis)]
}

/// Says a command until it is answered so.
async fn until(client: &mut WsClient, command: &str, wanted: &str) {
    let answered = async {
        loop {
            client.say(command).await;
            if client.hear_text().await == wanted {
                return;
            }
        }
    };
    within(&format!("{command} is answered {wanted:?}"), answered).await;
}

#[tokio::test]
async fn without_a_grant_it_is_not_loaded() {
    let host = TestHost::with(&["keeps", "echo"]).await;
    assert_eq!((host.mounts.len(), host.rejected.len()), (1, 1), "{:?}", host.rejected);
    let line = &host.rejected[0];
    for word in ["keeps.wasm", "lakou:controller/keyvalue", "keyvalue = true", "[controller.keeps]"] {
        assert!(line.contains(word), "{word}: {line}");
    }
}

#[tokio::test]
async fn values_are_shared_by_all_instances() {
    for host in on_each_store(|keeps| keeps.connections_per_instance = Some(1)).await {
        let host = host.start().await;
        let mut one = host.connect("/keeps").await;
        let mut two = host.connect("/keeps").await;
        one.exchange("set greeting hello", "ok").await;
        two.exchange("get greeting", "hello").await;
        one.exchange("add visits 2", "2").await;
        two.exchange("add visits 3", "5").await;
        two.exchange("add visits -7", "-2").await;
        one.exchange("claim lock one", "true").await;
        two.exchange("claim lock two", "false").await;
        two.exchange("release lock two", "false").await;
        one.exchange("release lock one", "true").await;
        two.exchange("claim lock two", "true").await;
        two.exchange("keys", "greeting lock visits").await;
        two.exchange("keys l", "lock").await;
        two.exchange("exists lock", "true").await;
        two.exchange("delete lock", "true").await;
        two.exchange("delete lock", "false").await;
        two.exchange("exists lock", "false").await;
        two.exchange("get lock", "none").await;
        assert_eq!(host.counted().keyvalue_calls, 17);
    }
}

#[tokio::test]
async fn a_long_list_comes_page_by_page() {
    for host in on_each_store(|_| {}).await {
        let host = host.start().await;
        let mut client = host.connect("/keeps").await;
        let keys: Vec<_> = (0..300).map(|number| format!("k{number:03}")).collect();
        client.say_all(keys.iter().map(|key| format!("set {key} x"))).await;
        for _ in &keys {
            client.expect("ok").await;
        }
        let calls = host.counted().keyvalue_calls;
        client.exchange("keys k", &keys.join(" ")).await;
        assert_eq!(host.counted().keyvalue_calls - calls, 2, "the SDK asks for 256 at a time");
        client.exchange("keys k29", &keys[290..].join(" ")).await;
    }
}

#[tokio::test]
async fn many_at_a_time_lose_nothing() {
    for host in on_each_store(|keeps| keeps.connections_per_instance = Some(1)).await {
        let host = host.start().await;
        let mut clients = Vec::new();
        for _ in 0..8 {
            clients.push(host.connect("/keeps").await);
        }
        for client in &mut clients {
            client.say_all((0..25).map(|_| "add n 1".to_owned())).await;
            client.say("claim winner x").await;
        }
        let (mut sums, mut winners) = (Vec::new(), 0);
        for client in &mut clients {
            for _ in 0..25 {
                sums.push(client.hear_text().await.parse::<u32>().expect("a sum"));
            }
            winners += u32::from(client.hear_text().await == "true");
        }
        sums.sort_unstable();
        assert_eq!((sums, winners), ((1..=200).collect(), 1));
    }
}

#[tokio::test]
async fn a_value_lapses() {
    for host in on_each_store(|_| {}).await {
        let host = host.start().await;
        let mut client = host.connect("/keeps").await;
        client.exchange("set b stays", "ok").await;
        client.exchange("set-short a x", "ok").await;
        until(&mut client, "get a", "none").await;
        client.exchange("exists a", "false").await;
        client.exchange("keys", "b").await;
        client.exchange("claim a anew", "true").await;
        client.exchange("get a", "anew").await;
    }
}

#[tokio::test]
async fn what_is_too_much_is_a_fault() {
    for host in on_each_store(|keeps| keeps.max_bucket = Some(300_000)).await {
        let host = host.start().await;
        let mut client = host.connect("/keeps").await;
        client.exchange("set-large a 262145", "too large").await;
        client.exchange("set-large a 262144", "ok").await;
        client.say("set-large b 100000").await;
        client.expect_start("unavailable: the bucket is full: 300000 bytes").await;
        assert_eq!(host.counted().limits["keeps"]["max-bucket"], 1);
        client.exchange("get b", "none").await;
        client.exchange("delete a", "true").await;
        client.exchange("set-large b 100000", "ok").await;
        client.say(&format!("set {} x", "k".repeat(513))).await;
        client.expect_start("invalid: a key has 1 to 512 bytes").await;
        client.exchange("set n x", "ok").await;
        client.say("add n 1").await;
        client.expect_start("invalid: the value is no whole number").await;
        client.exchange("get n", "x").await;
        client.exchange("set n 9223372036854775807", "ok").await;
        client.say("add n 1").await;
        client.expect_start("invalid: ").await;
        client.exchange("get n", "9223372036854775807").await;
    }
}

#[tokio::test]
async fn calls_have_a_rate() {
    for host in on_each_store(|keeps| keeps.store_rate = Some(20)).await {
        let host = host.start().await;
        let mut client = host.connect("/keeps").await;
        let commands = ["get a", "set a x", "delete b", "exists b", "add n 1", "claim c x", "keys"];
        client.say_all((0..140).map(|number| commands[number % commands.len()].to_owned())).await;
        let mut refused = 0;
        for _ in 0..140 {
            refused +=
                usize::from(client.hear_text().await.starts_with("unavailable: the controller has made its 20 "));
        }
        assert!(refused >= 20, "{refused}");
        assert_eq!(host.counted().limits["keeps"]["store-rate"], refused as u64);
        assert_eq!(host.counted().keyvalue_calls, 140 - refused as u64, "who is refused does not ask the store");
        for command in commands {
            until_not_refused(&mut client, command).await;
        }
    }
}

/// Says a command until the rate lets it through.
async fn until_not_refused(client: &mut WsClient, command: &str) {
    within(command, async {
        loop {
            client.say(command).await;
            if !client.hear_text().await.starts_with("unavailable: ") {
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn buckets_of_controllers_are_apart() {
    let (other, _) = patched(&guests::wasm("keeps"), "\"keeps\"", "\"hoard\"");
    let (other, _) = patched(&other, "\"/keeps\"", "\"/hoard\"");
    for host in on_each_store(|_| {}).await {
        let host = host
            .file("hoard.wasm", &other)
            .config(|config| config.overrides.entry("hoard".into()).or_default().grants.keyvalue = true)
            .start()
            .await;
        assert!(host.rejected.is_empty(), "{:?}", host.rejected);
        host.connect("/keeps").await.exchange("set a mine", "ok").await;
        let mut hoard = host.connect("/hoard").await;
        hoard.exchange("get a", "none").await;
        hoard.exchange("keys", "").await;
        hoard.exchange("add a 1", "1").await;
        host.connect("/keeps").await.exchange("get a", "mine").await;
    }
}

#[tokio::test]
async fn values_outlive_the_host_however_it_ends() {
    let (data, redis) = (Folder::new(), RedisServer::start().await);
    let path = data.join("data");
    let (path, url) = (path.to_str().expect("a path in UTF-8"), redis.url());
    for store in [["--data", path], ["--redis", &url]] {
        for (count, end) in (1..).zip([Signal::KILL, Signal::KILL, Signal::TERM, Signal::KILL]) {
            let call = Call::serve().guests(&["keeps"]).file("lakou.toml", "[controller.keeps]\nkeyvalue = true\n");
            let (mut binary, address) = call.args(&store).anywhere().listening().await;
            let mut client = connect(address, "/keeps").await;
            client.exchange("add starts 1", &count.to_string()).await;
            client.exchange(&format!("set last {count}"), "ok").await;
            binary.signal(end);
            binary.ended().await;
        }
    }
}

#[tokio::test]
async fn servers_with_a_redis_share_their_values() {
    let redis = RedisServer::start().await;
    let on_redis = || keeping(|_| {}).redis(&redis.url());
    let (one, two) = (on_redis().start().await, on_redis().start().await);
    let mut a = one.connect("/keeps").await;
    let mut b = two.connect("/keeps").await;
    a.exchange("set greeting hello", "ok").await;
    b.exchange("get greeting", "hello").await;
    a.exchange("add n 1", "1").await;
    b.exchange("add n 1", "2").await;
    a.exchange("claim lock a", "true").await;
    b.exchange("claim lock b", "false").await;
    b.exchange("keys", "greeting lock n").await;
    assert_eq!(redis.cli(&["HGET", "lakou:kv:{keeps}", "greeting"]).await, "hello");
}

#[tokio::test]
async fn a_redis_that_is_away_is_a_fault_and_comes_back() {
    let mut redis = RedisServer::start().await;
    let host = keeping(|_| {}).redis(&redis.url()).start().await;
    let mut client = host.connect("/keeps").await;
    client.exchange("set a x", "ok").await;
    // It takes what it is told, and answers nothing: that is a fault, and no end of the call.
    redis.pause();
    client.say("get a").await;
    client.expect_start("unavailable: ").await;
    redis.resume();
    until(&mut client, "get a", "x").await;
    redis.kill();
    for command in ["get a", "set a y", "add n 1", "keys", "claim b x", "delete a", "exists a"] {
        client.say(command).await;
        client.expect_start("unavailable: ").await;
    }
    host.connect("/echo").await.exchange("meanwhile", "meanwhile").await;
    redis.restart().await;
    until(&mut client, "set a z", "ok").await;
    client.exchange("get a", "z").await;
}
