//! When an identity ends, and what is left of it.

use std::time::Duration;

use super::stores::{Lab, connection, identity};
use crate::store::Waiting;

const SHORT: Duration = Duration::from_millis(150);
/// Long enough to be renewed in time on a busy machine.
const RENEWED: Duration = Duration::from_millis(1000);
const STEP: Duration = Duration::from_millis(200);

pub(super) async fn an_identity_lapses_with_its_mailbox(lab: &Lab) {
    let (first, second) = (connection(), connection());
    lab.register_for("ann", first, 2, SHORT).await;
    lab.tell("ann", "one").await;
    lab.lapse("ann").await;
    assert_eq!(lab.notify("ann", "two").await, None);
    assert!(!lab.is_holder("ann", first).await);
    let registered = lab.register("ann", second, 1).await;
    assert_eq!((registered.pushed_out, registered.waiting), (vec![], 0), "as if it had never been");
    assert_eq!(lab.waiting("ann", second).await, [""; 0]);
    assert_eq!(lab.holders("ann").await, [second]);
}

pub(super) async fn a_registration_renews(lab: &Lab) {
    let holder = connection();
    let mut pace = tokio::time::interval(STEP);
    for _ in 0..8 {
        pace.tick().await;
        lab.register_for("ann", holder, 1, RENEWED).await;
        lab.notify("ann", "x").await.expect("an identity that is renewed");
    }
    assert_eq!(lab.waiting("ann", holder).await.len(), 8);
    lab.register_for("ann", holder, 1, SHORT).await;
    lab.lapse("ann").await;
}

pub(super) async fn an_acknowledgement_renews(lab: &Lab) {
    let holder = connection();
    lab.register_for("ann", holder, 1, RENEWED).await;
    let mut pace = tokio::time::interval(STEP);
    for _ in 0..8 {
        pace.tick().await;
        let id = lab.tell("ann", "x").await;
        assert!(lab.handled("ann", holder, id).await);
    }
    lab.tell("ann", "last").await;
    assert_eq!(lab.waiting("ann", holder).await, ["last"]);
    lab.lapse("ann").await;
}

pub(super) async fn a_notification_does_not_renew(lab: &Lab) {
    lab.register_for("ann", connection(), 1, SHORT).await;
    let mut pace = tokio::time::interval(SHORT / 10);
    for _ in 0..500 {
        pace.tick().await;
        if lab.notify("ann", "x").await.is_none() {
            return;
        }
    }
    panic!("it was renewed");
}

pub(super) async fn ids_go_on_when_an_identity_comes_again(lab: &Lab) {
    let mut ids = Vec::new();
    for _ in 0..3 {
        lab.register_for("ann", connection(), 1, SHORT).await;
        for _ in 0..5 {
            ids.extend(lab.notify("ann", "x").await.map(|notified| notified.id));
        }
        lab.lapse("ann").await;
    }
    assert!(ids.len() >= 3 && ids.is_sorted_by(|one, other| one < other), "{ids:?}");
}

pub(super) async fn a_lapsed_holder_has_handled_nothing(lab: &Lab) {
    let (first, second) = (connection(), connection());
    lab.register_for("ann", first, 2, SHORT).await;
    let old = lab.tell("ann", "old").await;
    lab.lapse("ann").await;
    assert!(!lab.handled("ann", first, old).await);
    lab.register("ann", second, 2).await;
    lab.tell("ann", "new").await;
    assert!(!lab.handled("ann", first, old).await);
    assert_eq!(lab.waiting("ann", second).await, ["new"]);
    assert_eq!(lab.store.waiting(&identity("ann"), first, 1).await, Ok(Waiting::NotHolder));
}
