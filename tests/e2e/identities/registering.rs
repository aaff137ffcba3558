//! Who is registered as what, and who is not any more.

use super::post::{Post, noted};
use crate::harness::host::Furnished;
use crate::harness::wait::until;
use std::time::Duration;

pub(super) async fn an_identity_is_known_from_the_first_registration_on(host: Furnished) {
    let host = host.start().await;
    let mut ann = Post::at(&host).await;
    ann.answered("registered ann", "false").await;
    ann.answered("notify ann nobody", "false").await;
    ann.ok("register ann").await;
    ann.answered("registered ann", "true").await;
    ann.notify("ann", "hello").await;
    ann.told("ann", "hello").await;
    ann.quiet().await;
    host.counts("notifications", |counted| counted.notifications == 1).await;
    noted(&host, 1).await;
}

pub(super) async fn the_newest_win_and_the_oldest_are_told(host: Furnished) {
    let host = host.start().await;
    let mut first = Post::registered(&host, "ann 2").await;
    let mut second = Post::registered(&host, "ann 2").await;
    let mut third = Post::registered(&host, "ann 2").await;
    first.client.expect("replaced ann").await;
    first.notify("ann", "tea").await;
    assert_eq!(second.told("ann", "tea").await, third.told("ann", "tea").await);
    noted(&host, 2).await;
    // With a smaller number two have to go.
    let mut alone = Post::registered(&host, "ann 1").await;
    second.client.expect("replaced ann").await;
    third.client.expect("replaced ann").await;
    alone.notify("ann", "for one").await;
    alone.told("ann", "for one").await;
    for replaced in [&mut first, &mut second, &mut third] {
        // To unregister changes nothing for who was replaced.
        replaced.ok("unregister ann").await;
        replaced.quiet().await;
    }
    alone.notify("ann", "still").await;
    alone.told("ann", "still").await;
    host.counts("three were replaced", |counted| counted.identities_replaced == 3).await;
}

pub(super) async fn registering_again_repeats_nothing(host: Furnished) {
    let host = host.start().await;
    let mut ann = Post::registered(&host, "ann 2").await;
    let mut other = Post::registered(&host, "ann 2").await;
    ann.notify("ann", "one").await;
    ann.told("ann", "one").await;
    other.told("ann", "one").await;
    noted(&host, 2).await;
    // It becomes the newest, so that the other is the one to go.
    ann.ok("register ann 2").await;
    let mut third = Post::registered(&host, "ann 2").await;
    other.client.expect("replaced ann").await;
    ann.notify("ann", "two").await;
    ann.told("ann", "two").await;
    third.told("ann", "two").await;
    ann.quiet().await;
    other.quiet().await;
}

pub(super) async fn unregistering_ends_it_and_what_comes_later_waits(host: Furnished) {
    let host = host.start().await;
    let mut ann = Post::registered(&host, "ann").await;
    ann.ok("unregister ann").await;
    ann.answered("registered ann", "true").await;
    ann.notify("ann", "later").await;
    ann.quiet().await;
    let mut next = Post::registered(&host, "ann").await;
    next.told("ann", "later").await;
    // Twice is once, and to be nobody is no error.
    ann.ok("unregister ann").await;
    ann.ok("unregister nobody").await;
    next.notify("ann", "now").await;
    next.told("ann", "now").await;
    ann.quiet().await;
}

pub(super) async fn closing_unregisters(host: Furnished) {
    let host = host.start().await;
    let mut teller = Post::at(&host).await;
    let mut held = Vec::new();
    for name in ["ann", "ben"] {
        held.push(Post::registered(&host, name).await);
    }
    let [ann, mut ben] = <[Post; 2]>::try_from(held).ok().expect("two of them");
    ann.client.leave().await;
    ben.client.say("close").await;
    ben.client.expect_close(4000).await;
    for name in ["ann", "ben"] {
        teller.notify(name, "missed").await;
        teller.notify(name, "too").await;
        let mut back = Post::registered(&host, name).await;
        back.told(name, "missed").await;
        back.told(name, "too").await;
    }
    noted(&host, 4).await;
}

pub(super) async fn a_connection_has_several_identities_up_to_its_limit(host: Furnished) {
    let host = host.config(|config| config.max_identities = 3).start().await;
    let mut post = Post::at(&host).await;
    for name in ["ann", "team:7", "🍲"] {
        post.ok(&format!("register {name}")).await;
    }
    post.answered_so("register more", "unavailable: the connection has its 3 identities already").await;
    // One that it has is not one more.
    post.ok("register ann").await;
    for name in ["🍲", "ann", "team:7"] {
        post.notify(name, "hello").await;
        post.told(name, "hello").await;
    }
    post.ok("unregister ann").await;
    post.ok("register more").await;
    post.answered_so("register ann", "unavailable: ").await;
    assert_eq!(host.counted().limits["postbox"]["max-identities"], 2);
}

pub(super) async fn what_is_no_identity_is_refused(host: Furnished) {
    let host = host.start().await;
    let mut post = Post::at(&host).await;
    let (longest, longer) = ("x".repeat(256), "x".repeat(257));
    for command in ["register", "unregister", "notify", "registered"] {
        post.answered(&format!("{command} "), "invalid: an identity has 1 to 256 bytes, not 0").await;
        post.answered(&format!("{command} {longer}"), "invalid: an identity has 1 to 256 bytes, not 257").await;
    }
    post.answered_so("register ann 0", "invalid: max-connections is 0").await;
    post.answered("registered ann", "false").await;
    for odd in [longest.as_str(), "{ann}", "%7Bann%7D", "a:b:c", "*", "é"] {
        post.ok(&format!("register {odd}")).await;
        post.notify(odd, "hello").await;
        post.told(odd, "hello").await;
        post.ok(&format!("unregister {odd}")).await;
    }
    post.answered_so("named ann ", "invalid: the name of an event").await;
    post.answered("named ann y", "false").await;
}

pub(super) async fn a_constructor_may_register(host: Furnished) {
    let host = host.start().await;
    Post::registered(&host, "ann").await.ok("unregister ann").await;
    let mut teller = Post::at(&host).await;
    teller.notify("ann", "waits").await;
    let mut ann = Post::with(&host, "open=register+ann").await;
    ann.client.expect("ok").await;
    ann.told("ann", "waits").await;
    teller.notify("ann", "hello").await;
    ann.told("ann", "hello").await;
}

pub(super) async fn who_is_replaced_may_register_again(host: Furnished) {
    let host = host.start().await;
    let mut first = Post::with(&host, "replaced=register+ann").await;
    first.ok("register ann").await;
    let mut second = Post::registered(&host, "ann").await;
    first.client.expect("replaced ann").await;
    first.client.expect("ok").await;
    second.client.expect("replaced ann").await;
    second.notify("ann", "tea").await;
    first.told("ann", "tea").await;
    second.quiet().await;
}

pub(super) async fn a_kept_socket_of_a_closed_connection_is_gone(host: Furnished) {
    let host = host.start().await;
    let mut first = Post::registered(&host, "ann").await;
    let mut other = Post::at(&host).await;
    first.client.exchange("keep", "kept").await;
    first.client.leave().await;
    host.counts("it has ended", |counted| counted.connections == 1).await;
    // Its neighbour in the same instance has its socket.
    other.answered("kept register ann", "the connection has ended").await;
    other.answered("kept unregister ann", "the connection has ended").await;
    other.notify("ann", "tea").await;
    other.quiet().await;
    other.ok("register ann").await;
    other.told("ann", "tea").await;
}

pub(super) async fn at_once_and_again_and_again(host: Furnished) {
    let host = host.start().await;
    let mut teller = Post::at(&host).await;
    let mut ann = Post::registered(&host, "ann").await;
    for round in 0..20 {
        // Unregistered and registered while notifications and their rings are under way.
        teller.client.say("count ann 3").await;
        ann.client.say("again ann").await;
        teller.client.expect("3").await;
        let last = format!("last of {round}");
        teller.notify("ann", &last).await;
        until(Duration::from_secs(10), "the last one comes", async || ann.client.hear_text().await.ends_with(&last))
            .await;
    }
    ann.quiet().await;
}
