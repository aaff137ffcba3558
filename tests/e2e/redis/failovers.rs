//! What is kept in Redis, keys and values and mailboxes, where a Redis is more than one: it is on all nodes of a cluster, and
//! what was there before a master fails is there afterwards.

use crate::harness::host::TestHost;
use crate::harness::redis::cluster::Cluster;
use crate::harness::redis::sentinels::Sentinels;
use crate::harness::wait::{until, within_bound};
use crate::harness::ws::WsClient;
use std::time::Duration;

/// A failover waits for time-outs of its own, and for those who notice it.
const FAILOVER: Duration = Duration::from_secs(40);

/// Enough identities that each of three masters has some.
const NAMES: [&str; 8] = ["ann", "bob", "cleo", "dan", "eve", "finn", "gus", "hal"];

async fn server(url: &str) -> TestHost {
    let keeping = TestHost::serving(&["keeps", "postbox"]).redis(url);
    let granted = keeping.config(|config| config.overrides.entry("keeps".into()).or_default().grants.keyvalue = true);
    granted.start().await
}

/// Says a command until it is answered so: while no master is there it is answered that the store is unavailable.
async fn in_the_end(client: &mut WsClient, command: &str, wanted: &str) {
    until(FAILOVER, &format!("{command} is answered {wanted}"), async || {
        client.say(command).await;
        let answer = client.hear_text().await;
        assert!(answer == wanted || answer.starts_with("unavailable: "), "{command}: {answer}");
        answer == wanted
    })
    .await;
}

/// Hears notifications until one has this text: one that was refused may have been kept nevertheless.
async fn is_told(client: &mut WsClient, name: &str, text: &str) {
    let told = async {
        loop {
            let heard = client.hear_text().await;
            assert!(heard.starts_with(&format!("{name} ")), "{heard}");
            if heard.ends_with(text) {
                return;
            }
        }
    };
    within_bound(FAILOVER, &format!("{name} is told {text}"), told).await;
}

/// Two servers share what they keep, before and after a master fails.
async fn outlives(url: &str, failover: impl AsyncFnOnce()) {
    let (a, b) = (server(url).await, server(url).await);
    let (mut one, mut two) = (a.connect("/keeps").await, b.connect("/keeps").await);
    one.exchange("set greeting hello", "ok").await;
    two.exchange("get greeting", "hello").await;
    one.exchange("add n 1", "1").await;
    two.exchange("add n 1", "2").await;
    one.exchange("claim lock one", "true").await;
    two.exchange("claim lock two", "false").await;
    two.exchange("keys", "greeting lock n").await;
    let mut teller = b.connect("/postbox/x").await;
    let mut holders = Vec::new();
    for name in NAMES {
        let mut holder = a.connect("/postbox/x").await;
        holder.exchange(&format!("register {name}"), "ok").await;
        teller.exchange(&format!("notify {name} before"), "true").await;
        is_told(&mut holder, name, "before").await;
        holders.push((name, holder));
    }

    failover().await;

    in_the_end(&mut two, "get greeting", "hello").await;
    two.exchange("claim lock two", "false").await;
    two.exchange("add n 1", "3").await;
    in_the_end(&mut one, "get n", "3").await;
    one.exchange("release lock one", "true").await;
    for (name, holder) in &mut holders {
        in_the_end(&mut teller, &format!("notify {name} after"), "true").await;
        is_told(holder, name, "after").await;
    }
}

#[tokio::test]
async fn a_cluster_keeps_values_and_mailboxes() {
    let mut cluster = Cluster::start().await;
    outlives(&cluster.url(), async || {
        cluster.replicated().await;
        cluster.kill_master_of("lakou:kv:{keeps}").await;
        cluster.healthy().await;
    })
    .await;
}

#[tokio::test]
async fn sentinels_keep_values_and_mailboxes() {
    let mut sentinels = Sentinels::start().await;
    outlives(&sentinels.url(), async || {
        sentinels.replicated().await;
        sentinels.kill_master();
        sentinels.failed_over().await;
    })
    .await;
}
