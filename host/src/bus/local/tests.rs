//! The recipients of each kind of event on the bus of one process, with bare mailboxes in place of instances.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;

use super::super::{Bus, EmitError, Envelope, Target};
use super::LocalBus;
use crate::connection::Connection;
use crate::ids::{ConnectionId, ServerId};
use crate::mailbox::{Mailbox, Recipients, Work};
use crate::message::Event;
use crate::metrics::Metrics;

struct Instance {
    mailbox: Arc<Mailbox>,
    receiver: UnboundedReceiver<Work>,
}

fn instance(bus: &LocalBus, controller: &str) -> Instance {
    let (mailbox, receiver) = Mailbox::new();
    bus.add_instance(&controller.into(), &mailbox);
    Instance { mailbox, receiver }
}

impl Instance {
    fn delivered(&mut self) -> Option<Recipients> {
        match self.receiver.try_recv().ok()? {
            Work::Deliver { to, .. } => Some(to),
            _ => panic!("something else than an event"),
        }
    }
}

fn bus() -> (LocalBus, Arc<Metrics>) {
    let metrics = Arc::new(Metrics::default());
    (LocalBus::new(Arc::clone(&metrics), 8), metrics)
}

fn envelope(to: Target, from: Option<ConnectionId>) -> Envelope {
    Envelope { to, event: Arc::new(Event { name: "hello".into(), args: "[]".into() }), from }
}

fn id() -> ConnectionId {
    ConnectionId::random(ServerId::random())
}

#[test]
fn each_call_reaches_its_own() {
    let (bus, _) = bus();
    let (mut chat, mut news) = (instance(&bus, "chat"), instance(&bus, "news"));
    let (alice, bob) = (id(), id());
    bus.add_connection(alice, &chat.mailbox);
    bus.add_connection(bob, &news.mailbox);

    bus.emit(envelope(Target::All, Some(alice))).expect("room");
    assert!(matches!(chat.delivered(), Some(Recipients::AllBut(key)) if key == alice.key()));
    assert!(matches!(news.delivered(), Some(Recipients::AllBut(_))));

    bus.emit(envelope(Target::Controller("news".into()), None)).expect("room");
    assert!(chat.delivered().is_none());
    assert!(matches!(news.delivered(), Some(Recipients::All)));

    bus.emit(envelope(Target::Controller("nobody".into()), None)).expect("nobody is fine");

    bus.emit(envelope(Target::Connection(bob), Some(alice))).expect("room");
    assert!(chat.delivered().is_none());
    assert!(matches!(news.delivered(), Some(Recipients::One(key)) if key == bob.key()));
}

#[test]
fn a_unicast_to_nobody_comes_back() {
    let (bus, metrics) = bus();
    let mut chat = instance(&bus, "chat");
    let (alice, gone) = (id(), id());
    bus.add_connection(alice, &chat.mailbox);

    bus.emit(envelope(Target::Connection(gone), Some(alice))).expect("told later");
    let Ok(Work::Undelivered { to, target, .. }) = chat.receiver.try_recv() else { panic!("not told") };
    assert_eq!((to, target), (alice.key(), gone));

    assert_eq!(bus.emit(envelope(Target::Connection(gone), None)), Err(EmitError::Gone));
    bus.remove_connection(&Connection::new(alice, 1));
    assert_eq!(bus.emit(envelope(Target::Connection(alice), None)), Err(EmitError::Gone));
    assert_eq!(metrics.snapshot().events_undelivered, 3);
}

#[test]
fn a_mailbox_that_nobody_empties_fills() {
    let (bus, metrics) = bus();
    let mut chat = instance(&bus, "chat");
    let _news = instance(&bus, "news");
    let big = Arc::new(Event { name: "big".into(), args: "x".repeat(1024 * 1024) });
    let emit = |to| bus.emit(Envelope { to, event: Arc::clone(&big), from: None });
    let chat_only = || Target::Controller("chat".into());
    let taken = (0..100).take_while(|_| emit(chat_only()).is_ok()).count();
    assert!((16..=17).contains(&taken), "{taken}");
    assert_eq!(emit(Target::All), Err(EmitError::Full { full: 1, all: 2 }));
    assert_eq!(metrics.snapshot().events_dropped, 2);

    while chat.delivered().is_some() {
        chat.mailbox.event_taken(&big);
    }
    emit(chat_only()).expect("room again");
}

#[test]
fn an_instance_that_is_removed_gets_nothing() {
    let (bus, _) = bus();
    let mut chat = instance(&bus, "chat");
    bus.remove_instance("chat", &chat.mailbox);
    bus.emit(envelope(Target::All, None)).expect("nobody is fine");
    assert!(chat.delivered().is_none());
}
