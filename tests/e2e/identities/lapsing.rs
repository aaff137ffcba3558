//! Lifetimes that pass while the test waits for it: a second or two, which only tests may ask for.

use super::post::{Post, is_known};
use crate::harness::host::{Furnished, TestHost};
use crate::harness::wait::{BOUND, until};
use std::time::{Duration, Instant};

/// All at once, because each waits for some seconds.
pub(super) async fn lifetimes_pass_and_are_renewed(host: Furnished) {
    let host = host.start().await;
    tokio::join!(
        an_identity_lapses_with_its_mailbox(&host),
        a_registration_renews(&host),
        a_handled_notification_renews(&host),
        ids_go_on_after_a_lapse(&host),
    );
}

/// Waits until the identity has lapsed.
async fn lapse(host: &TestHost, name: &str) {
    until(BOUND, "the identity lapses", async || !is_known(host, name).await).await;
}

/// Keeps doing something until the identity would have lapsed twice without it; it must not.
async fn outlives(host: &TestHost, name: &str, mut renew: impl AsyncFnMut()) {
    let begins = Instant::now();
    while begins.elapsed() < Duration::from_millis(4200) {
        renew().await;
        let renewed = Instant::now();
        until(BOUND, "half of the lifetime", async || renewed.elapsed() > Duration::from_millis(700)).await;
        assert!(is_known(host, name).await, "after {:?}", begins.elapsed());
    }
}

async fn an_identity_lapses_with_its_mailbox(host: &TestHost) {
    let mut post = Post::at(host).await;
    post.ok("register ann 1 1").await;
    post.ok("unregister ann").await;
    post.notify("ann", "never seen").await;
    lapse(host, "ann").await;
    post.answered("notify ann nobody", "false").await;
    post.ok("register ann").await;
    post.quiet().await;
}

async fn a_registration_renews(host: &TestHost) {
    let mut post = Post::at(host).await;
    outlives(host, "ben", async || post.ok("register ben 1 2").await).await;
    // A notification that nobody handles does not.
    post.ok("unregister ben").await;
    post.notify("ben", "waits").await;
    lapse(host, "ben").await;
}

async fn a_handled_notification_renews(host: &TestHost) {
    let mut post = Post::registered(host, "cat 1 2").await;
    outlives(host, "cat", async || {
        post.notify("cat", "hello").await;
        post.told("cat", "hello").await;
    })
    .await;
    lapse(host, "cat").await;
}

async fn ids_go_on_after_a_lapse(host: &TestHost) {
    let mut last = 0;
    for _ in 0..2 {
        let mut post = Post::registered(host, "dan 1 1").await;
        for text in ["one", "two"] {
            post.notify("dan", text).await;
            let id = post.told("dan", text).await;
            assert!(id > last, "{id} after {last}");
            last = id;
        }
        post.client.leave().await;
        lapse(host, "dan").await;
    }
}
