//! Settings of one controller instead of everybody's, and settings that are more than can be kept.

use crate::harness::binary::{Call, connect};
use crate::harness::host::{Furnished, TestHost};
use std::time::Duration;

/// A host whose `connect` naps for longer than the common settings allow.
fn impatient() -> Furnished {
    TestHost::serving(&["misbehave"]).config(|config| {
        config.handshake_timeout = Duration::from_millis(100);
        config.guest.call_time = Duration::from_millis(200);
    })
}

#[tokio::test]
async fn a_controllers_own_patience_counts() {
    let host = impatient()
        .config(|config| {
            let own = config.overrides.entry("misbehave".to_owned()).or_default();
            own.call_time = Some(Duration::from_secs(5));
        })
        .start()
        .await;
    host.connect("/misbehave/nap-in-connect").await.exchange("in", "in").await;
    host.connect("/misbehave/nap-in-open").await.exchange("in", "in").await;
    assert_eq!(host.counted().time_exceeded, 0);
}

#[tokio::test]
async fn without_it_everybodys_patience_counts() {
    let host = impatient().start().await;
    host.knock("/misbehave/nap-in-connect").refused(500).await;
    host.counts("time exceeded", |counted| counted.time_exceeded == 1).await;
}

#[tokio::test]
async fn ten_thousand_may_share_an_instance_and_no_more() {
    let call = |most: &str| {
        let call = Call::serve().guests(&["echo"]).anywhere();
        call.args(&["--connections-per-instance", most])
    };
    let (_binary, address) = call("10000").listening().await;
    connect(address, "/echo").await.exchange("hi", "hi").await;
    let lines = call("10001").fails().await;
    let named = |line: &String| line.contains("connections-per-instance") && line.contains("10000");
    assert!(lines.iter().any(named), "{lines:?}");
}
