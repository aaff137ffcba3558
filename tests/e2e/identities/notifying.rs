//! What is notified, who gets it, and in which order.

use super::post::{Post, is_known, noted, post};
use crate::harness::host::Furnished;

pub(super) async fn everything_comes_once_and_in_order(host: Furnished) {
    let host = host.start().await;
    let mut ann = Post::registered(&host, "ann").await;
    let mut teller = Post::at(&host).await;
    teller.answered("count ann 200", "200").await;
    let mut ids = Vec::new();
    for number in 1..=200 {
        ids.push(ann.told("ann", &format!("number {number}")).await);
    }
    assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
    ann.quiet().await;
    noted(&host, 200).await;
}

pub(super) async fn what_has_waited_comes_before_anything_newer(host: Furnished) {
    let host = host.start().await;
    let mut teller = Post::at(&host).await;
    Post::registered(&host, "ann").await.client.leave().await;
    teller.answered("count ann 50", "50").await;
    let mut ann = Post::at(&host).await;
    // Both at once: what waits, and what comes.
    ann.client.say("register ann").await;
    teller.answered("count ann 20", "20").await;
    ann.client.expect("ok").await;
    ann.counted("ann", 1..=50).await;
    ann.counted("ann", 1..=20).await;
    ann.quiet().await;
}

pub(super) async fn both_tabs_get_everything(host: Furnished) {
    // Each in an instance of its own, so that they work at the same time.
    let host = host.config(|config| config.guest.connections_per_instance = 1).start().await;
    let mut tabs = [Post::registered(&host, "ann 2").await, Post::registered(&host, "ann 2").await];
    let mut teller = Post::at(&host).await;
    teller.answered("count ann 50", "50").await;
    for tab in &mut tabs {
        tab.counted("ann", 1..=50).await;
    }
    let [one, two] = &mut tabs;
    teller.notify("ann", "last").await;
    assert_eq!(one.told("ann", "last").await, two.told("ann", "last").await);
    for tab in &mut tabs {
        tab.quiet().await;
    }
}

pub(super) async fn a_newcomer_begins_where_nobody_has_been(host: Furnished) {
    let host = host.start().await;
    let mut one = Post::registered(&host, "ann 2").await;
    one.notify("ann", "old").await;
    one.told("ann", "old").await;
    noted(&host, 1).await;
    let mut two = Post::registered(&host, "ann 2").await;
    one.notify("ann", "new").await;
    assert_eq!(one.told("ann", "new").await, two.told("ann", "new").await);
    for post in [&mut one, &mut two] {
        post.quiet().await;
    }
}

pub(super) async fn plain_requests_notify_and_ask(host: Furnished) {
    let host = host.start().await;
    assert!(!is_known(&host, "ann").await);
    assert_eq!(post(&host, "ann", "nobody").await, "false");
    let mut ann = Post::registered(&host, "ann").await;
    assert!(is_known(&host, "ann").await);
    for number in 1..=20 {
        assert_eq!(post(&host, "ann", &format!("number {number}")).await, "true");
    }
    ann.counted("ann", 1..=20).await;
    assert_eq!(post(&host, "", "x").await, "invalid: an identity has 1 to 256 bytes, not 0");
}

pub(super) async fn a_handler_may_register_notify_and_leave(host: Furnished) {
    let host = host.start().await;
    let mut ann = Post::registered(&host, "ann").await;
    ann.notify("ann", "do register ann 3").await;
    ann.told("ann", "do register ann 3").await;
    ann.client.expect("ok").await;
    ann.notify("ann", "do notify ann inner").await;
    ann.told("ann", "do notify ann inner").await;
    ann.client.expect("true").await;
    ann.told("ann", "inner").await;
    ann.notify("ann", "do register ben").await;
    ann.told("ann", "do register ben").await;
    ann.client.expect("ok").await;
    ann.notify("ben", "hello").await;
    ann.told("ben", "hello").await;
    // What it is at when it unregisters is the last that comes.
    let mut teller = Post::at(&host).await;
    teller.client.say_all(["notify ann do unregister ann", "count ann 5"].map(str::to_owned)).await;
    ann.told("ann", "do unregister ann").await;
    ann.client.expect("ok").await;
    teller.client.expect("true").await;
    teller.client.expect("5").await;
    ann.quiet().await;
    ann.ok("register ann").await;
    ann.counted("ann", 1..=5).await;
    ann.quiet().await;
}

pub(super) async fn a_full_mailbox_drops_its_oldest(host: Furnished) {
    let host = host.config(|config| (config.mailbox_entries, config.mailbox_size) = (5, 10_000)).start().await;
    Post::registered(&host, "ann").await.client.leave().await;
    let mut post = Post::at(&host).await;
    post.answered("count ann 8", "8").await;
    host.counts("notifications dropped", |counted| counted.notifications_dropped == 3).await;
    post.ok("register ann").await;
    post.counted("ann", 4..=8).await;
    noted(&host, 5).await;
    post.ok("unregister ann").await;
    // By size: two of 4,000 bytes, but not three.
    for _ in 0..3 {
        post.answered("large ann 4000", "true").await;
    }
    host.counts("notifications dropped", |counted| counted.notifications_dropped == 4).await;
    post.ok("register ann").await;
    for _ in 0..2 {
        post.told("ann", &"x".repeat(4000)).await;
    }
    post.quiet().await;
}

pub(super) async fn what_is_too_large_is_refused(host: Furnished) {
    let host = host.config(|config| (config.max_event, config.mailbox_size) = (5_000, 4_000)).start().await;
    let mut ann = Post::registered(&host, "ann").await;
    ann.answered("large ann 5000", "too large").await;
    ann.answered_so("large ann 4500", "invalid: a notification of ").await;
    ann.answered("large ann 3500", "true").await;
    ann.told("ann", &"x".repeat(3500)).await;
}

pub(super) async fn who_is_closing_swallows_nothing(host: Furnished) {
    let host = host.start().await;
    let mut teller = Post::at(&host).await;
    for _ in 0..10 {
        let mut ann = Post::registered(&host, "ann").await;
        teller.client.say_all(["notify ann do close".to_owned(), "count ann 5".to_owned()]).await;
        teller.client.expect("true").await;
        teller.client.expect("5").await;
        ann.told("ann", "do close").await;
        ann.client.expect_close(4000).await;
        let mut back = Post::registered(&host, "ann").await;
        let mut heard = back.client.hear_text().await;
        if heard.ends_with("do close") {
            // Its handler had returned, but that was not noted before the new registration.
            back.client.expect_close(4000).await;
            back = Post::registered(&host, "ann").await;
            heard = back.client.hear_text().await;
        }
        assert!(heard.ends_with(" number 1"), "{heard}");
        back.counted("ann", 2..=5).await;
        back.client.leave().await;
    }
}

pub(super) async fn a_host_that_stops_swallows_nothing(host: Furnished) {
    let mut host = host.config(|config| config.drain_time = std::time::Duration::from_millis(300)).start().await;
    let mut ann = Post::registered(&host, "ann").await;
    let mut teller = Post::at(&host).await;
    host.begin_stop();
    teller.client.expect("farewell").await;
    ann.client.expect("farewell").await;
    // Until its close it may work.
    teller.client.say("count ann 5").await;
    let mut heard = 0;
    while let tokio_tungstenite::tungstenite::Message::Text(text) = ann.client.hear().await {
        heard += 1;
        assert!(text.ends_with(&format!("number {heard}")), "{text}");
    }
    host.stopped().await;
    assert!(host.counted().notifications_handled >= heard, "{:?}", host.counted());
}

pub(super) async fn who_does_not_read_loses_nothing(host: Furnished) {
    // More waits than the client's socket and the outbox hold.
    let host = host.outbox(256 * 1024).config(|config| config.mailbox_size = 32 << 20).start().await;
    let mut teller = Post::at(&host).await;
    Post::registered(&host, "ann").await.ok("unregister ann").await;
    for _ in 0..150 {
        teller.answered("large ann 100000", "true").await;
    }
    let mut ann = Post::registered(&host, "ann").await;
    host.counts("some are handled", |counted| counted.notifications_handled > 0).await;
    for _ in 0..150 {
        ann.told("ann", &"x".repeat(100_000)).await;
    }
    ann.quiet().await;
    assert_eq!(host.counted().slow_clients, 0);
    noted(&host, 150).await;
}
