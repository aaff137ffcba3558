//! Controllers that fail again and again: they are backed off, and come back by themselves.

use super::{SOON, Scene};
use crate::harness::wait::until;
use std::time::Duration;

/// As a controller whose back-off begins soon.
async fn scene(name: &str) -> Scene {
    Scene::with(name, |config| config.guest.max_failures = 5).await
}

/// New connections and requests are turned away, which is counted and in the log.
async fn is_backed_off(scene: &Scene) {
    assert_eq!(scene.host.counted().backed_off, 1);
    let answer = scene.host.knock("/hostile/any").refused(503).await;
    let after: u64 = answer.header("retry-after").expect("it says when").parse().expect("in seconds");
    assert!((1..=60).contains(&after), "{after}");
    let answer = scene.host.ask("GET", "/hostile/any").get().await;
    assert_eq!(answer.status, 503);
    assert!(scene.host.counted().backed_off_refused >= 2);
    scene.logs("backed off for ").await;
}

/// After a while one is let in, and then all are.
async fn recovers(scene: &Scene) {
    until(Duration::from_secs(20), "it recovers", async || {
        scene.host.ask("GET", "/hostile/any").get().await.status == 200
    })
    .await;
    // Its answer is out before its call has come to an end, and only then is it known to have gone well.
    scene.host.counts("it has recovered", |counted| counted.recovered == 1).await;
    scene.connect("any").await.exchange("as before", "as before").await;
    scene.logs("works again").await;
}

#[tokio::test]
async fn traps_in_connect() {
    let mut scene = scene("traps-in-connect").await;
    for _ in 0..5 {
        scene.refused("connect-trap", 500).await;
    }
    is_backed_off(&scene).await;
    recovers(&scene).await;
}

#[tokio::test]
async fn traps_in_every_message() {
    let mut scene = scene("traps-in-every-message").await;
    for _ in 0..5 {
        scene.ends("message-trap", 1011).await;
    }
    is_backed_off(&scene).await;
    recovers(&scene).await;
}

#[tokio::test]
async fn traps_in_its_constructor() {
    let mut scene = scene("traps-in-its-constructor").await;
    for _ in 0..5 {
        let mut client = scene.connect("open-trap").await;
        scene.bystander.meanwhile("open-trap", client.expect_close(1011)).await;
    }
    is_backed_off(&scene).await;
    recovers(&scene).await;
}

#[tokio::test]
async fn traps_in_every_plain_request() {
    let mut scene = scene("traps-in-every-plain-request").await;
    for _ in 0..5 {
        scene.answers("http-trap", 500).await;
    }
    is_backed_off(&scene).await;
    recovers(&scene).await;
}

#[tokio::test]
async fn traps_when_it_is_left() {
    let mut scene = scene("traps-when-it-is-left").await;
    for number in 1..=5 {
        let client = scene.connect("close-trap").await;
        scene.bystander.meanwhile("close-trap", client.leave()).await;
        scene.host.counts("it has trapped", |counted| counted.traps == number).await;
    }
    is_backed_off(&scene).await;
    recovers(&scene).await;
}

#[tokio::test]
async fn still_fails_when_it_is_tried() {
    let mut scene = scene("still-fails-when-it-is-tried").await;
    for _ in 0..5 {
        scene.refused("connect-trap", 500).await;
    }
    let failures = scene.host.counted().traps;
    // Each trial is one call that fails.
    until(Duration::from_secs(20), "it is tried twice", async || {
        assert!(scene.host.knock("/hostile/connect-trap").status().await >= 500);
        scene.host.counted().traps >= failures + 2
    })
    .await;
    assert_eq!((scene.host.counted().backed_off, scene.host.counted().recovered), (1, 0));
    is_backed_off(&scene).await;
    recovers(&scene).await;
}

#[tokio::test]
async fn those_who_are_in_stay_in() {
    let mut scene = Scene::with("those-who-are-in-stay-in", |config| {
        config.guest.max_failures = 5;
        config.guest.connections_per_instance = 1;
    })
    .await;
    let mut inside = scene.connect("any").await;
    inside.exchange("before", "before").await;
    for _ in 0..5 {
        scene.ends("message-trap", 1011).await;
    }
    is_backed_off(&scene).await;
    inside.exchange("meanwhile", "meanwhile").await;
    recovers(&scene).await;
}

#[tokio::test]
async fn one_client_does_not_shut_out_all() {
    let mut scene = Scene::with("one-client-does-not-shut-out-all", |config| {
        config.guest.max_failures = 5;
        config.guest.connections_per_instance = 1;
    })
    .await;
    let mut honest = scene.connect("any").await;
    for _ in 0..20 {
        // Others get more done than it breaks.
        for _ in 0..3 {
            honest.exchange("work", "work").await;
        }
        scene.ends("message-trap", 1011).await;
    }
    assert_eq!((scene.host.counted().traps, scene.host.counted().backed_off), (20, 0));
    scene.connect("any").await.exchange("let in", "let in").await;
}

#[tokio::test]
async fn what_was_saved_goes_on() {
    let mut scene = Scene::with("what-was-saved-goes-on", |config| {
        config.guest.connections_per_instance = 256;
        config.guest.max_failures = 1_000;
    })
    .await;
    let mut kept = scene.connect("message-trap-saved").await;
    kept.exchange("before", "before").await;
    scene.ends("message-trap", 1011).await;
    kept.exchange("after", "after").await;
    assert!(scene.host.counted().resumed <= 1);
}

#[tokio::test]
async fn traps_when_it_is_suspended() {
    let scene = Scene::with("traps-when-it-is-suspended", |config| {
        config.guest.connections_per_instance = 256;
        config.guest.hibernate_after = SOON;
    })
    .await;
    let mut timed = scene.connect("timer-saved").await;
    let mut failing = Vec::new();
    for _ in 0..4 {
        failing.push(scene.connect("suspend-trap").await);
    }
    // Nobody is asked to sleep as long as one has a timer, which would be lost.
    timed.expect("later").await;
    scene.host.counts("one has failed", |counted| counted.traps == 1).await;
    timed.exchange("made anew", "made anew").await;
    let counted = scene.host.counted();
    assert_eq!((counted.resumed, counted.hibernations), (1, 0));
    scene.logs("suspend").await;
}
