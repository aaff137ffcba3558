//! `examples/clock`: a service that publishes the time.

use crate::harness::host::TestHost;

#[tokio::test]
async fn everybody_gets_the_time_each_second() {
    let host = TestHost::with(&["clock"]).await;
    let mut watchers = [host.connect("/clock").await, host.connect("/clock").await];
    for watcher in &mut watchers {
        let first = watcher.expect_json().await;
        let next = watcher.expect_json().await;
        let tick = first["tick"].as_u64().expect("a number");
        assert_eq!(next["tick"], tick + 1);
        assert!(next["seconds"].as_u64() >= first["seconds"].as_u64() && tick > 0, "{first} {next}");
    }
    host.counts("services", |counted| counted.services == 1).await;
}
