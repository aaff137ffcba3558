//! What waits for whom, in which order, and for how long.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::join_all;

use super::stores::{BOUNDS, Lab, connection, event, identity};
use crate::message::Event;
use crate::store::{Failed, NotificationId, StoreError, Waiting};

fn mailbox_bytes() -> usize {
    usize::try_from(BOUNDS.bytes).expect("a small number")
}

pub(super) async fn nobody_is_no_receiver(lab: &Lab) {
    assert_eq!(lab.notify("ann", "hey").await, None);
    assert!(!lab.registered("ann").await, "it has not come to be by that");
    assert!(!lab.handled("ann", connection(), NotificationId::from_number(1)).await);
    assert!(!lab.is_holder("ann", connection()).await);
}

pub(super) async fn an_absent_receiver_finds_it_later(lab: &Lab) {
    let (first, second) = (connection(), connection());
    lab.register("ann", first, 1).await;
    lab.unregister("ann", first).await;
    let notified = lab.notify("ann", "one").await.expect("an absent identity");
    assert_eq!((notified.holders, notified.dropped), (vec![], 0));
    lab.tell("ann", "two").await;
    assert_eq!(lab.register("ann", second, 1).await.waiting, 2);
    assert_eq!(lab.waiting("ann", second).await, ["one", "two"]);
}

pub(super) async fn everything_comes_in_order(lab: &Lab) {
    let holder = connection();
    lab.register("ann", holder, 1).await;
    let mut ids = Vec::new();
    for number in 0..40 {
        ids.push(lab.tell("ann", &number.to_string()).await);
    }
    assert!(ids.is_sorted_by(|one, other| one < other), "{ids:?}");
    let entries = lab.entries("ann", holder).await;
    assert_eq!(entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), ids);
    assert_eq!(entries[39].event, event("39"));
    assert_eq!(lab.entries("ann", holder).await, entries, "fetching changes nothing");
}

pub(super) async fn a_fetch_is_bounded(lab: &Lab) {
    let holder = connection();
    lab.register("ann", holder, 1).await;
    for number in 0..40 {
        lab.tell("ann", &number.to_string()).await;
    }
    for most in [0, 1, 17, 40, 1000] {
        let waiting = lab.store.waiting(&identity("ann"), holder, most).await.expect("an answer");
        let Waiting::Entries(entries) = waiting else { panic!("no holder") };
        let args: Vec<_> = entries.iter().map(|entry| entry.event.args.clone()).collect();
        assert_eq!(args, (0..most.min(40)).map(|number| number.to_string()).collect::<Vec<_>>());
    }
}

pub(super) async fn two_holders_each_get_everything(lab: &Lab) {
    let (first, second) = (connection(), connection());
    lab.register("ann", first, 2).await;
    lab.register("ann", second, 2).await;
    let one = lab.tell("ann", "one").await;
    let two = lab.tell("ann", "two").await;
    assert!(lab.handled("ann", first, one).await);
    assert_eq!(lab.waiting("ann", first).await, ["two"]);
    assert_eq!(lab.waiting("ann", second).await, ["one", "two"]);
    assert!(lab.handled("ann", second, two).await);
    assert_eq!(lab.waiting("ann", second).await, [""; 0]);
    assert_eq!(lab.waiting("ann", first).await, ["two"]);
    assert!(lab.handled("ann", first, one).await, "an older one changes nothing");
    assert!(lab.handled("ann", first, two).await);
    assert_eq!(lab.waiting("ann", first).await, [""; 0]);
}

pub(super) async fn a_newcomer_gets_what_nobody_has_handled(lab: &Lab) {
    let (first, second, third) = (connection(), connection(), connection());
    lab.register("ann", first, 3).await;
    lab.register("ann", second, 3).await;
    let one = lab.tell("ann", "one").await;
    lab.tell("ann", "two").await;
    lab.handled("ann", first, one).await;
    assert_eq!(lab.register("ann", third, 3).await.waiting, 1);
    lab.tell("ann", "three").await;
    assert_eq!(lab.waiting("ann", third).await, ["two", "three"]);
    assert_eq!(lab.waiting("ann", second).await, ["one", "two", "three"]);
}

pub(super) async fn what_a_holder_leaves_behind_waits_for_the_next(lab: &Lab) {
    let (first, second) = (connection(), connection());
    lab.register("ann", first, 1).await;
    let one = lab.tell("ann", "one").await;
    let two = lab.tell("ann", "two").await;
    lab.handled("ann", first, one).await;
    lab.unregister("ann", first).await;
    assert_eq!(lab.register("ann", second, 1).await.waiting, 1);
    let entries = lab.entries("ann", second).await;
    assert_eq!(entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), [two], "under the same id");
}

pub(super) async fn a_full_mailbox_drops_the_oldest(lab: &Lab) {
    let holder = connection();
    lab.register("ann", holder, 1).await;
    let most = BOUNDS.entries as usize;
    let mut dropped = 0;
    for number in 0..most + 7 {
        dropped += lab.notify("ann", &number.to_string()).await.expect("a known identity").dropped;
    }
    assert_eq!(dropped, 7);
    let waiting = lab.waiting("ann", holder).await;
    assert_eq!((waiting.len(), waiting[0].as_str()), (most, "7"));
}

pub(super) async fn a_full_mailbox_is_counted_in_bytes(lab: &Lab) {
    let holder = connection();
    lab.register("ann", holder, 1).await;
    // Each costs a quarter of the mailbox.
    let quarter = mailbox_bytes() / 4 - event("").cost();
    for number in 0..4 {
        let args = format!("{number:0quarter$}");
        assert_eq!(lab.notify("ann", &args).await.expect("a known identity").dropped, 0);
    }
    assert_eq!(lab.notify("ann", "small").await.expect("a known identity").dropped, 1);
    let half = "x".repeat(quarter * 2);
    assert_eq!(lab.notify("ann", &half).await.expect("a known identity").dropped, 2);
    let waiting = lab.waiting("ann", holder).await;
    assert_eq!(waiting.iter().map(String::len).collect::<Vec<_>>(), [quarter, 5, quarter * 2]);
}

pub(super) async fn an_event_that_never_fits_is_refused(lab: &Lab) {
    let holder = connection();
    lab.register("ann", holder, 1).await;
    lab.tell("ann", "one").await;
    let largest = "x".repeat(mailbox_bytes() - event("").cost());
    let refused = lab.store.notify(&identity("ann"), &event(&format!("{largest}x"))).await;
    assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    assert_eq!(lab.waiting("ann", holder).await, ["one"], "and pushes nothing out");
    assert_eq!(lab.notify("ann", &largest).await.expect("a known identity").dropped, 1);
}

pub(super) async fn what_is_handled_makes_room(lab: &Lab) {
    let (first, second) = (connection(), connection());
    lab.register("ann", first, 2).await;
    lab.register("ann", second, 2).await;
    let most = BOUNDS.entries;
    for round in 0..3 {
        for _ in 0..most {
            assert_eq!(lab.notify("ann", "x").await.expect("a known identity").dropped, 0, "round {round}");
        }
        let last = lab.entries("ann", first).await[most as usize - 1].id;
        // The second time the slower one does not catch up but leaves.
        lab.handled("ann", first, last).await;
        if round == 0 {
            lab.handled("ann", second, last).await;
        } else {
            lab.unregister("ann", second).await;
        }
    }
    assert_eq!(lab.waiting("ann", first).await, [""; 0]);
}

pub(super) async fn what_is_still_to_come_has_not_been_handled(lab: &Lab) {
    let holder = connection();
    lab.register("ann", holder, 1).await;
    lab.tell("ann", "one").await;
    for far in [u64::MAX, 1 << 53, 1 << 52] {
        assert!(lab.handled("ann", holder, NotificationId::from_number(far)).await);
    }
    lab.tell("ann", "two").await;
    assert_eq!(lab.waiting("ann", holder).await, ["two"]);
}

pub(super) async fn who_is_no_holder_has_handled_it_all_the_same(lab: &Lab) {
    let (first, second) = (connection(), connection());
    lab.register("ann", first, 1).await;
    let one = lab.tell("ann", "one").await;
    lab.tell("ann", "two").await;
    lab.unregister("ann", first).await;
    assert!(!lab.handled("ann", first, one).await);
    assert_eq!(lab.register("ann", second, 1).await.waiting, 1);
    assert_eq!(lab.waiting("ann", second).await, ["two"]);
}

pub(super) async fn a_notification_that_fails_too_often_is_set_aside(lab: &Lab) {
    let holder = connection();
    lab.register("ann", holder, 1).await;
    let fail = async |id| lab.store.failed(&identity("ann"), id).await.expect("an answer");
    // More than are kept.
    for _ in 0..20 {
        let bad = lab.tell("ann", "bad").await;
        let good = lab.tell("ann", "good").await;
        for attempts in 1..BOUNDS.attempts {
            assert_eq!(fail(bad).await, Failed::Again { attempts });
        }
        assert_eq!(lab.waiting("ann", holder).await, ["bad", "good"]);
        assert_eq!(fail(bad).await, Failed::SetAside);
        assert_eq!(fail(bad).await, Failed::Gone);
        assert_eq!(lab.waiting("ann", holder).await, ["good"]);
        assert_eq!(fail(good).await, Failed::Again { attempts: 1 });
        lab.handled("ann", holder, good).await;
        assert_eq!(fail(good).await, Failed::Gone);
    }
    assert_eq!(lab.store.failed(&identity("bob"), NotificationId::from_number(u64::MAX)).await, Ok(Failed::Gone));
    assert_eq!(fail(NotificationId::from_number(0)).await, Failed::Gone);
}

pub(super) async fn the_event_comes_as_it_was(lab: &Lab) {
    let holder = connection();
    lab.register("ann", holder, 1).await;
    let texts = [("", ""), ("a b", "[1]"), ("12 3 ", "4 5"), ("\n\0", "\r\n"), ("caf\u{e9}", "[\"\u{1f3e1}\"]")];
    for (name, args) in texts {
        let event = Arc::new(Event { name: name.into(), args: args.into() });
        lab.store.notify(&identity("ann"), &event).await.expect("an answer");
    }
    let entries = lab.entries("ann", holder).await;
    let found: Vec<_> = entries.iter().map(|entry| (entry.event.name.as_str(), entry.event.args.as_str())).collect();
    assert_eq!(found, texts);
}

pub(super) async fn many_at_once_lose_nothing(lab: &Lab) {
    let names: Vec<_> = (0..20).map(|number| format!("user {number}")).collect();
    let holder = connection();
    join_all(names.iter().map(|name| lab.register(name, holder, 1))).await;
    let told = names.iter().flat_map(|name| (0..40).map(move |_| lab.tell(name, "x")));
    let ids = join_all(told).await;
    for (at, name) in names.iter().enumerate() {
        let told: HashSet<_> = ids[at * 40..(at + 1) * 40].iter().copied().collect();
        let found: Vec<_> = lab.entries(name, holder).await.into_iter().map(|entry| entry.id).collect();
        assert!(found.is_sorted() && found.len() == 40);
        assert_eq!(found.into_iter().collect::<HashSet<_>>(), told);
    }
}
