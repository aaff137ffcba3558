//! Registrations, and their ends.

use futures_util::future::join_all;

use super::stores::{Lab, connection};

pub(super) async fn an_identity_is_there_from_the_first_registration_on(lab: &Lab) {
    assert!(!lab.registered("ann").await);
    let registered = lab.register("ann", connection(), 1).await;
    assert_eq!((registered.pushed_out, registered.waiting), (vec![], 0));
    assert!(lab.registered("ann").await);
    assert!(!lab.registered("bob").await);
}

pub(super) async fn the_newest_win(lab: &Lab) {
    let (first, second, third) = (connection(), connection(), connection());
    lab.register("ann", first, 2).await;
    assert_eq!(lab.register("ann", second, 2).await.pushed_out, []);
    assert_eq!(lab.register("ann", third, 2).await.pushed_out, [first]);
    assert!(!lab.is_holder("ann", first).await);
    assert_eq!(lab.holders("ann").await, [second, third]);
    assert_eq!(lab.register("ann", first, 1).await.pushed_out, [second, third]);
    assert_eq!(lab.holders("ann").await, [first]);
}

pub(super) async fn registering_again_is_one_registration(lab: &Lab) {
    let (first, second, third) = (connection(), connection(), connection());
    lab.register("ann", first, 2).await;
    lab.register("ann", second, 2).await;
    let one = lab.tell("ann", "one").await;
    lab.tell("ann", "two").await;
    lab.handled("ann", first, one).await;

    let again = lab.register("ann", first, 2).await;
    assert_eq!((again.pushed_out, again.waiting), (vec![], 1), "it goes on where it was");
    assert_eq!(lab.waiting("ann", first).await, ["two"]);
    assert_eq!(lab.waiting("ann", second).await, ["one", "two"]);
    assert_eq!(lab.register("ann", third, 2).await.pushed_out, [second], "the first has become newer");
}

pub(super) async fn a_hundred_at_once_leave_three(lab: &Lab) {
    let all: Vec<_> = (0..100).map(|_| connection()).collect();
    let registered = join_all(all.iter().map(|connection| lab.register("ann", *connection, 3))).await;
    let holders = lab.holders("ann").await;
    assert_eq!(holders.len(), 3);
    let mut accounted: Vec<_> = registered.into_iter().flat_map(|registered| registered.pushed_out).collect();
    assert_eq!(accounted.len(), 97, "each was pushed out once");
    accounted.extend(holders);
    assert!(all.iter().all(|connection| accounted.contains(connection)), "and nobody is missing");
}

pub(super) async fn fewer_may_register_later(lab: &Lab) {
    let all: Vec<_> = (0..5).map(|_| connection()).collect();
    for connection in &all {
        lab.register("ann", *connection, 5).await;
    }
    assert_eq!(lab.register("ann", all[0], 2).await.pushed_out, all[1..4]);
    assert_eq!(lab.register("ann", all[0], 0).await.pushed_out, all[4..], "none is taken as one");
    assert_eq!(lab.holders("ann").await, all[..1]);
}

pub(super) async fn who_unregisters_is_no_holder(lab: &Lab) {
    let (first, second) = (connection(), connection());
    lab.unregister("ann", first).await;
    assert!(!lab.registered("ann").await);
    lab.register("ann", first, 2).await;
    lab.register("ann", second, 2).await;
    lab.unregister("ann", first).await;
    lab.unregister("ann", first).await;
    assert!(!lab.is_holder("ann", first).await);
    assert_eq!(lab.holders("ann").await, [second]);
    lab.unregister("ann", second).await;
    assert!(lab.registered("ann").await, "it stays until it lapses");
    assert_eq!(lab.holders("ann").await, []);
}

pub(super) async fn names_may_hold_anything(lab: &Lab) {
    let long = "x".repeat(256);
    let wide = "\u{1f3e1}".repeat(64);
    let names = ["a", "a}", "{a", "{a}", "%7Ba%7D", "a%7D", "a:mailbox", "a\n\0b", "caf\u{e9}", "A", " ", &long, &wide];
    for (at, name) in names.iter().enumerate() {
        assert!(!lab.registered(name).await, "{name:?} is nobody yet");
        lab.register(name, connection(), 1).await;
        lab.tell(name, &at.to_string()).await;
    }
    for (at, name) in names.iter().enumerate() {
        let connection = connection();
        assert_eq!(lab.register(name, connection, 1).await.waiting, 1);
        assert_eq!(lab.waiting(name, connection).await, [at.to_string()], "{name:?}");
    }
}
