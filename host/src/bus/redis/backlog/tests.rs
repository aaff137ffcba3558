//! What waits, what is kept, and what is sent again.

use super::*;
use crate::message::Event;

fn body(text: &str) -> Body {
    Body::Event { event: Arc::new(Event { name: text.into(), args: "[]".into() }), to: None, from: None }
}

fn names(batch: &[Arc<Outgoing>]) -> Vec<String> {
    let name = |outgoing: &Arc<Outgoing>| match &outgoing.body {
        Body::Event { event, .. } | Body::Undelivered { event, .. } | Body::Notify { event, .. } => event.name.clone(),
        Body::Ring { identity, .. } => identity.to_string(),
    };
    batch.iter().map(name).collect()
}

fn confirm(backlog: &Backlog, sent: &[Arc<Outgoing>]) {
    let sent: Vec<_> =
        sent.iter().map(|outgoing| (Arc::clone(outgoing), Some(format!("1-{}", outgoing.origin.seq)))).collect();
    backlog.done(&sent);
}

#[test]
fn events_are_numbered_by_stream_and_in_all() {
    let backlog = Backlog::new(ServerId::random(), 1 << 20);
    let chat = Stream::Controller("chat".into());
    for (stream, name) in [(Stream::All, "a"), (chat.clone(), "b"), (Stream::All, "c")] {
        backlog.push(stream, body(name)).expect("room");
    }
    let batch = backlog.batch();
    assert_eq!(names(&batch), ["a", "b", "c"]);
    let numbers: Vec<_> = batch.iter().map(|outgoing| (outgoing.origin.seq, outgoing.origin.index)).collect();
    assert_eq!(numbers, [(1, 1), (2, 1), (3, 2)]);
    assert_eq!(names(&backlog.batch()), ["a", "b", "c"], "until it is done");

    // One stream's node is away.
    confirm(&backlog, &[Arc::clone(&batch[0]), Arc::clone(&batch[2])]);
    assert_eq!(names(&backlog.batch()), ["b"]);
    assert_eq!(backlog.confirmed(), [(Stream::All, "1-3".to_owned())]);
}

#[test]
fn what_was_lost_is_sent_again_before_anything_newer() {
    let backlog = Backlog::new(ServerId::random(), 1 << 20);
    let chat = Stream::Controller("chat".into());
    for (stream, name) in [(Stream::All, "a"), (chat, "b"), (Stream::All, "c")] {
        backlog.push(stream, body(name)).expect("room");
    }
    confirm(&backlog, &backlog.batch());
    backlog.push(Stream::All, body("d")).expect("room");
    assert_eq!(backlog.send_again(&[Stream::All]), 2);
    assert_eq!(names(&backlog.batch()), ["a", "c", "d"]);
    let numbers: Vec<_> = backlog.batch().iter().map(|outgoing| outgoing.origin.index).collect();
    assert_eq!(numbers, [1, 2, 3], "under the same numbers");
    confirm(&backlog, &backlog.batch());
    assert_eq!(backlog.size(), (0, 0));
}

#[test]
fn it_is_bounded_and_the_bound_gives_way_again() {
    let backlog = Backlog::new(ServerId::random(), 1000);
    let mut accepted = 0;
    while backlog.push(Stream::All, body("x")).is_ok() {
        accepted += 1;
    }
    assert!((4..8).contains(&accepted), "{accepted}");
    confirm(&backlog, &backlog.batch());
    assert_eq!(backlog.push(Stream::All, body("y")), Ok(()));
    assert_eq!(backlog.batch()[0].origin.index, accepted + 1, "what was refused has no number");
}

#[test]
fn what_was_for_a_dead_server_is_taken_back() {
    let backlog = Backlog::new(ServerId::random(), 1 << 20);
    let dead = Stream::Server(ServerId::random());
    for (stream, name) in [(dead.clone(), "a"), (Stream::All, "b"), (dead.clone(), "c")] {
        backlog.push(stream, body(name)).expect("room");
    }
    assert_eq!(names(&backlog.batch()), ["a", "b", "c"]);
    assert!(backlog.forget(&dead).is_empty(), "Redis may have them already");
    backlog.settle();
    assert_eq!(names(backlog.forget(&dead).make_contiguous()), ["a", "c"]);
    assert_eq!(names(&backlog.batch()), ["b"]);
    confirm(&backlog, &backlog.batch());
    assert_eq!(backlog.size(), (0, 0));
}
