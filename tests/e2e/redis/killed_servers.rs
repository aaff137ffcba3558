//! Servers that die: who was sent something there learns it, and nothing of them stays in Redis.

use crate::harness::binary::{self, Binary, Call};
use crate::harness::fleet::{fleet, keys, known, stream_of};
use crate::harness::redis::RedisServer;
use crate::harness::wait::{until, within_bound};
use rustix::process::Signal;
use std::net::SocketAddr;
use std::time::Duration;

/// How soon a dead server is noticed: docs/delivery.md says ten seconds, of servers that have not to share two cores with tests.
const NOTICED: Duration = Duration::from_secs(20);

async fn process(redis: &RedisServer) -> (Binary, SocketAddr) {
    Call::serve().guests(&["probe"]).anywhere().args(&["--redis", &redis.url()]).listening().await
}

#[tokio::test]
async fn a_unicast_to_a_dead_server_comes_back() {
    let (redis, [a]) = fleet::<1>().await;
    let (mut dying, address) = process(&redis).await;
    let (mut sender, _) = known(&a).await;
    let mut target = binary::connect(address, "/probe/x").await;
    target.say("id").await;
    let id = target.hear_text().await;
    sender.exchange(&format!("unicast {id} alive"), "ok").await;
    target.expect("told alive").await;
    // A server that dies before it has said that it delivered something has that come back too.
    until(NOTICED, "it is known to be delivered", async || redis.cli(&["XLEN", &stream_of(&id)]).await == "0").await;

    dying.signal(Signal::KILL);
    dying.ended().await;
    sender.exchange(&format!("unicast {id} one"), "ok").await;
    within_bound(NOTICED, "it comes back", sender.expect(&format!(r#"undelivered {id} tell ["one"]"#))).await;
    let of_the_dead = async || keys(&redis).await.iter().any(|key| key.starts_with(&stream_of(&id)));
    until(NOTICED, "its keys are removed", async || !of_the_dead().await).await;
    assert_eq!(redis.cli(&["ZCARD", "lakou:servers"]).await, "1");

    // Now it is known to be dead.
    sender.exchange(&format!("unicast-blindly {id} two"), "the connection has ended").await;
    sender.say(&format!("unicast {id} three")).await;
    sender.expect_after_others(&format!(r#"undelivered {id} tell ["three"]"#)).await;
    assert!(!of_the_dead().await);
}

/// Some rounds of deaths; `LAKOU_CHAOS=full` makes it a hundred servers.
#[tokio::test]
async fn many_deaths_leave_nothing_behind() {
    const AT_A_TIME: usize = 6;
    let rounds = if std::env::var("LAKOU_CHAOS").as_deref() == Ok("full") { 17 } else { 2 };
    let redis = RedisServer::start().await;
    let (living, address) = process(&redis).await;
    let mut sender = binary::connect(address, "/probe/x").await;
    let before = keys(&redis).await;
    let mut memory = Vec::new();
    for _ in 0..rounds {
        let mut ids = Vec::new();
        for _ in 0..AT_A_TIME {
            let (mut dying, address) = process(&redis).await;
            let mut target = binary::connect(address, "/probe/x").await;
            target.say("id").await;
            ids.push(target.hear_text().await);
            dying.signal(Signal::KILL);
            dying.ended().await;
        }
        for id in &ids {
            sender.exchange(&format!("unicast {id} there"), "ok").await;
        }
        for _ in &ids {
            let text = within_bound(NOTICED + Duration::from_secs(5), "it comes back", sender.hear_text()).await;
            assert!(text.starts_with("undelivered "), "{text}");
        }
        until(NOTICED, "only the living have keys", async || keys(&redis).await == before).await;
        let info = redis.cli(&["INFO", "memory"]).await;
        let used = info.lines().find_map(|line| line.trim().strip_prefix("used_memory:")).expect("Redis says it");
        memory.push((used.parse::<u64>().expect("bytes") / 1024, living.memory()));
    }
    println!("KiB of Redis and of the living server after each round: {memory:?}");
    let ((redis_first, server_first), (redis_last, server_last)) = (memory[0], memory[rounds - 1]);
    assert!(redis_last < redis_first + 512, "{memory:?}");
    assert!(server_last < server_first + 4096, "{memory:?}");
}

#[tokio::test]
async fn a_server_that_was_only_asleep_is_one_of_them_again() {
    let (redis, [a]) = fleet::<1>().await;
    let (sleeper, address) = process(&redis).await;
    let (mut sender, _) = known(&a).await;
    let mut target = binary::connect(address, "/probe/x").await;
    target.say("id").await;
    let id = target.hear_text().await;
    sleeper.pause();
    sender.exchange(&format!("unicast {id} lost"), "ok").await;
    within_bound(NOTICED, "it is taken for dead", sender.expect(&format!(r#"undelivered {id} tell ["lost"]"#))).await;
    sleeper.resume();
    until(NOTICED, "it says that it lives", async || redis.cli(&["ZCARD", "lakou:servers"]).await == "2").await;
    target.exchange("broadcast back", "ok").await;
    sender.expect("told back").await;
    sender.exchange(&format!("unicast {id} welcome"), "ok").await;
    target.expect("told welcome").await;
}
