//! What is handed to instances out of mailboxes, with a bare queue in place of an instance.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

use super::pump::CARRIED;
use super::*;
use crate::ids::ServerId;
use crate::mailbox::{Mailbox, Outcome, Work};
use crate::message::Event;
use crate::store::Embedded;

/// Longer than any test.
const LONG: Duration = Duration::from_secs(60);

/// Somebody else would have come long before.
const WHILE: Duration = Duration::from_millis(200);

async fn notified(works: &mut UnboundedReceiver<Work>) -> oneshot::Sender<Outcome> {
    match tokio::time::timeout(LONG, works.recv()).await {
        Ok(Some(Work::Notify { done, .. })) => done,
        _ => panic!("no notification is handed to the instance"),
    }
}

#[tokio::test]
async fn what_is_out_of_the_mailboxes_of_a_controller_is_bounded() {
    let (settings, metrics) = (Arc::new(Config::default()), Arc::<Metrics>::default());
    let local = Arc::new(LocalBus::new(Arc::clone(&metrics), 64));
    let store = Arc::new(Embedded::open(None, bounds(&settings)).expect("memory"));
    let identities = Identities::new(store, Arc::clone(&local) as Arc<dyn Bus>, Arc::clone(&local), metrics, settings);
    let (mailbox, mut works) = Mailbox::new();
    let (server, postman) = (ServerId::random(), Arc::new(Postman::new()));
    let event = Arc::new(Event { name: "note".into(), args: "[]".into() });
    for number in 0..CARRIED + 12 {
        let connection = Arc::new(Connection::new(ConnectionId::random(server), 1 << 20));
        local.add_connection(connection.id, &mailbox);
        let identity = Identity::new(&format!("name:{number}")).expect("an identity");
        let wish = Wish { lifetime: None, max_connections: None, owner: Owner { name: "chat".into(), limit: 1 << 30 } };
        let registered = identities.register(&connection, identity.clone(), wish, Arc::clone(&postman), LONG).await;
        registered.expect("a place");
        assert!(identities.notify(&identity, &event).await.expect("an answer"));
    }
    let mut busy = Vec::new();
    for _ in 0..CARRIED {
        busy.push(notified(&mut works).await);
    }
    assert!(tokio::time::timeout(WHILE, works.recv()).await.is_err(), "the others wait in the store");
    for done in busy {
        done.send(Outcome::Lost).expect("it is waited for");
    }
    for _ in 0..12 {
        notified(&mut works).await;
    }
}
