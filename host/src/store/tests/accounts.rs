//! What the identities of one owner may cost together, and that nobody else pays for it.

use std::time::{Duration, Instant};

use super::stores::{LONG, Lab, connection, event, identity};
use crate::store::{Failed, IDENTITY_COST, Owner, StoreError, Terms};

/// Room for a hundred identities, or six full mailboxes.
const LIMIT: u64 = 100 * IDENTITY_COST;

/// What is in a mailbox may be behind by this much in what the account knows of it.
const STEP: u64 = 4096;

async fn own(lab: &Lab, owner: &str, name: &str, lifetime: Duration) -> Result<(), StoreError> {
    let owner = Owner { name: owner.into(), limit: LIMIT };
    let terms = Terms { owner, lifetime, max_connections: 1 };
    lab.store.register(&identity(name), connection(), terms).await.map(drop)
}

/// How many identities there is room for.
async fn fill(lab: &Lab, owner: &str, lifetime: Duration) -> u64 {
    for count in 0.. {
        match own(lab, owner, &format!("{owner}:{count}"), lifetime).await {
            Ok(()) => {}
            Err(error) => {
                assert_eq!(error, StoreError::MailboxesFull(LIMIT));
                return count;
            }
        }
    }
    unreachable!("there is a limit");
}

pub(super) async fn an_owner_has_so_many_identities(lab: &Lab) {
    assert_eq!(fill(lab, "greedy", LONG).await, 100);
    own(lab, "greedy", "greedy:7", LONG).await.expect("it has that one already");
    own(lab, "modest", "modest:1", LONG).await.expect("another owner has its own room");
    assert!(lab.notify("modest:1", "hey").await.is_some());
}

pub(super) async fn an_owner_pays_for_its_mailboxes(lab: &Lab) {
    for name in ["a", "b", "c", "d", "e", "f"] {
        own(lab, "greedy", name, LONG).await.expect("room");
    }
    own(lab, "modest", "other", LONG).await.expect("room");
    let large = event(&"x".repeat(1000));
    let (mut stored, mut full) = (0, false);
    // Each mailbox has room for seven of them, and drops the oldest for an eighth.
    for name in ["a", "b", "c", "d", "e", "f"].repeat(8) {
        match lab.store.notify(&identity(name), &large).await {
            Ok(notified) => stored += u64::from(notified.is_some_and(|notified| notified.dropped == 0)),
            Err(error) => {
                assert_eq!(error, StoreError::MailboxesFull(LIMIT));
                full = true;
            }
        }
    }
    let bytes = stored * 1068;
    assert!(full && bytes <= LIMIT + 6 * STEP && bytes > LIMIT / 2, "{bytes} bytes were taken, full: {full}");
    assert!(lab.notify("other", &"x".repeat(1000)).await.is_some(), "another owner's mailbox takes it");

    // What is handled makes room.
    for name in ["a", "b", "c", "d", "e", "f"] {
        let reader = connection();
        lab.register(name, reader, 1).await;
        if let Some(last) = lab.entries(name, reader).await.last() {
            lab.handled(name, reader, last.id).await;
        }
    }
    lab.store.notify(&identity("a"), &large).await.expect("there is room again");
    assert!(fill(lab, "greedy", LONG).await > 50, "the mailboxes are empty");
}

pub(super) async fn what_is_set_aside_is_paid_for(lab: &Lab) {
    own(lab, "greedy", "ann", LONG).await.expect("room");
    let large = event(&"x".repeat(6000));
    let mut refused = false;
    for _ in 0..12 {
        match lab.store.notify(&identity("ann"), &large).await {
            Ok(notified) => {
                let id = notified.expect("a known identity").id;
                while lab.store.failed(&identity("ann"), id).await.expect("an answer") != Failed::SetAside {}
            }
            Err(error) => {
                assert_eq!(error, StoreError::MailboxesFull(LIMIT));
                refused = true;
            }
        }
    }
    assert!(refused, "handlers that fail fill nothing but their own account");
}

pub(super) async fn who_lives_on_by_acknowledging_is_paid_for(lab: &Lab) {
    let lifetime = Duration::from_millis(600);
    let owner = Owner { name: "greedy".into(), limit: LIMIT };
    let (reader, sleeper) = (connection(), connection());
    for holder in [reader, sleeper] {
        let terms = Terms { owner: owner.clone(), lifetime, max_connections: 2 };
        lab.store.register(&identity("ann"), holder, terms).await.expect("room");
    }
    let mut last = None;
    for _ in 0..6 {
        last = lab.notify("ann", &"x".repeat(1000)).await;
    }
    let last = last.expect("a known identity").id;
    let (begun, mut pace) = (Instant::now(), tokio::time::interval(Duration::from_millis(50)));
    while begun.elapsed() < lifetime * 3 {
        pace.tick().await;
        assert!(lab.handled("ann", reader, last).await);
    }
    assert!(fill(lab, "greedy", LONG).await < 90, "what waits for the other one still costs");
}

pub(super) async fn what_has_lapsed_costs_nothing(lab: &Lab) {
    let short = Duration::from_millis(300);
    assert_eq!(fill(lab, "greedy", short).await, 100);
    for count in 0..100 {
        lab.lapse(&format!("greedy:{count}")).await;
    }
    assert_eq!(fill(lab, "greedy", LONG).await, 100);
}
