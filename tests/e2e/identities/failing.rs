//! Handlers that fail on a notification: who gets it again, and that it does not go on for ever.

use super::post::{Post, noted, post};
use crate::harness::host::Furnished;

pub(super) async fn a_handler_that_fails_gets_it_again_until_it_is_set_aside(host: Furnished) {
    let host = host.start().await;
    let mut ids = Vec::new();
    let mut ann = Post::registered(&host, "ann").await;
    ann.notify("ann", "before").await;
    ann.told("ann", "before").await;
    noted(&host, 1).await;
    for text in ["panic!", "after"] {
        assert_eq!(post(&host, "ann", text).await, "true");
    }
    for attempt in 1..=5 {
        ids.push(ann.told("ann", "panic!").await);
        ann.client.expect_close(1011).await;
        ann = Post::registered(&host, "ann").await;
        assert!(host.counted().traps >= attempt);
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    ann.told("ann", "after").await;
    ann.quiet().await;
    host.counts("notifications set aside", |counted| counted.notifications_set_aside == 1).await;
}

pub(super) async fn a_failure_costs_neighbours_nothing(host: Furnished) {
    let host = host.start().await;
    let mut ann = Post::registered(&host, "ann").await;
    // In the same instance, which is lost for both.
    let mut ben = Post::registered(&host, "ben").await;
    ann.notify("ann", "panic").await;
    ann.told("ann", "panic").await;
    ann.client.expect_close(1011).await;
    ben.client.expect_close(1012).await;
    let mut teller = Post::at(&host).await;
    teller.answered("count ben 5", "5").await;
    let mut ben = Post::registered(&host, "ben").await;
    ben.counted("ben", 1..=5).await;
    ben.quiet().await;
}

pub(super) async fn one_that_fails_does_not_keep_the_other_from_it(host: Furnished) {
    let host = host.config(|config| config.guest.connections_per_instance = 1).start().await;
    let mut teller = Post::at(&host).await;
    let mut one = Post::registered(&host, "ann 2").await;
    let mut two = Post::registered(&host, "ann 2").await;
    teller.notify("ann", "panic").await;
    let id = one.told("ann", "panic").await;
    assert_eq!(two.told("ann", "panic").await, id);
    one.client.expect_close(1011).await;
    two.client.expect_close(1011).await;
    teller.notify("ann", "next").await;
    // Each failure counts, whoever it was.
    for _ in 0..3 {
        let mut ann = Post::registered(&host, "ann 2").await;
        assert_eq!(ann.told("ann", "panic").await, id);
        ann.client.expect_close(1011).await;
    }
    let mut ann = Post::registered(&host, "ann 2").await;
    ann.told("ann", "next").await;
    host.counts("notifications set aside", |counted| counted.notifications_set_aside == 1).await;
}
