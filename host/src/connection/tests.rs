//! The outbox and the inbox of a connection, without a socket.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

use super::{Connection, INBOX_BYTES, INBOX_MESSAGES, NotQueued, Outgoing};
use crate::closing::{CloseCause, Closing};
use crate::ids::{ConnectionId, ServerId};
use crate::message::Message;

fn connection(limit: usize) -> Connection {
    Connection::new(ConnectionId::random(ServerId::random()), limit)
}

fn text(text: &str) -> Message {
    Message::Text(text.into())
}

fn poll(connection: &Connection, written: usize, into: &mut VecDeque<Message>) -> Poll<Outgoing> {
    connection.poll_outgoing(&mut Context::from_waker(Waker::noop()), written, into)
}

#[test]
fn messages_come_out_in_order_then_the_close() {
    let connection = connection(100);
    connection.send(text("one")).expect("room");
    connection.send(text("two")).expect("room");
    connection.close(Closing::by_object(4000, "first".into()));
    connection.close(Closing::by_object(4001, "second".into()));
    assert_eq!(connection.send(text("late")), Err(NotQueued::Gone));

    let mut out = VecDeque::new();
    assert!(matches!(poll(&connection, 0, &mut out), Poll::Ready(Outgoing::Messages(6))));
    assert_eq!(out, [text("one"), text("two")]);
    let Poll::Ready(Outgoing::Close(closing)) = poll(&connection, 6, &mut out) else { panic!("no close") };
    assert_eq!(closing.code, 4000);
    assert!(poll(&connection, 0, &mut out).is_pending(), "a close is taken once");
}

#[test]
fn a_mark_is_passed_when_what_was_before_it_is_written() {
    let connection = connection(100);
    let mut out = VecDeque::new();
    let written = |mark| connection.written(mark).now_or_never();
    assert_eq!(written(connection.mark()), Some(true), "nothing is owed");
    connection.send(text("one")).expect("room");
    let one = connection.mark();
    assert!(poll(&connection, 0, &mut out).is_ready());
    connection.send(text("")).expect("room");
    let two = connection.mark();
    assert_eq!(written(one), None, "taken, but on its way");
    assert!(poll(&connection, 3, &mut out).is_ready());
    assert_eq!((written(one), written(two)), (Some(true), None));
    assert!(poll(&connection, 0, &mut out).is_pending());
    assert_eq!(written(two), Some(true));
    connection.send(text("three")).expect("room");
    connection.end(&Closing::by_peer(None));
    assert_eq!((written(two), written(connection.mark())), (Some(true), Some(false)));
}

#[test]
fn a_mark_is_never_passed_if_something_was_refused_because_the_client_had_gone() {
    let gone = connection(100);
    gone.end(&Closing::by_peer(None));
    assert_eq!(gone.send(text("late")), Err(NotQueued::Gone));
    assert_eq!(gone.written(gone.mark()).now_or_never(), Some(false));

    // Its own object's doing: nobody else would be told either.
    let closed = connection(100);
    closed.let_go.store(true, Ordering::Release);
    closed.close(Closing::by_object(4000, "enough".into()));
    closed.end(&Closing::by_peer(None));
    assert_eq!(closed.send(text("late")), Err(NotQueued::Gone));
    assert_eq!(closed.written(closed.mark()).now_or_never(), Some(true));
}

#[test]
fn bytes_count_until_they_are_written() {
    let connection = connection(10);
    let mut out = VecDeque::new();
    connection.send(text("12345678")).expect("room");
    assert!(poll(&connection, 0, &mut out).is_ready());
    // Taken by the session, but still on its way: there is no room for another one.
    assert_eq!(connection.send(text("abc")), Err(NotQueued::Gone));
    let Poll::Ready(Outgoing::Close(closing)) = poll(&connection, 0, &mut out) else { panic!("no close") };
    assert_eq!(closing.cause(), CloseCause::SlowClient);
}

#[test]
fn written_bytes_make_room() {
    let connection = connection(10);
    let mut out = VecDeque::new();
    for _ in 0..5 {
        connection.send(text("12345678")).expect("room");
        assert!(poll(&connection, 0, &mut out).is_ready());
        assert!(poll(&connection, 8, &mut out).is_pending());
    }
    assert_eq!(connection.send(text("12345678901")), Err(NotQueued::TooLarge));
    connection.send(text("1234567890")).expect("one that just fits");
}

#[test]
fn reading_stops_at_the_inbox_bounds() {
    let connection = connection(10);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..INBOX_MESSAGES {
        assert!(connection.may_read(&mut context));
        connection.message_waits(1);
    }
    assert!(!connection.may_read(&mut context));
    connection.messages_done(1, 1);
    assert!(connection.may_read(&mut context));
    connection.message_waits(INBOX_BYTES);
    assert!(!connection.may_read(&mut context));
}

#[test]
fn a_later_close_is_told_and_then_due() {
    let connection = connection(10);
    let mut out = VecDeque::new();
    let later = Instant::now() + Duration::from_secs(60);
    connection.close_at(later, Closing::of(CloseCause::Stopping));
    assert!(matches!(poll(&connection, 0, &mut out), Poll::Ready(Outgoing::CloseAt(when)) if when == later));
    assert!(poll(&connection, 0, &mut out).is_pending(), "told once");
    connection.close_at(Instant::now(), Closing::of(CloseCause::Stopping));
    assert!(matches!(poll(&connection, 0, &mut out), Poll::Ready(Outgoing::Close(closing)) if closing.code == 1001));
    assert!(poll(&connection, 0, &mut out).is_pending(), "taken once");
}

#[test]
fn empty_messages_fill_the_outbox_too() {
    let connection = connection(16 * 1024);
    let taken = (0..100_000).take_while(|_| connection.send(Message::Text("".into())).is_ok()).count();
    assert!((1024..2048).contains(&taken), "{taken}");
    assert!(connection.is_closing());
}

#[tokio::test]
async fn the_object_of_a_service_has_an_end_and_nobody_to_send_to() {
    let service = || Connection::to_nobody(ConnectionId::random(ServerId::random()));
    let (closed, drained) = (service(), service());
    assert_eq!(closed.send(text("x")), Err(NotQueued::Nobody));
    assert!(closed.closes().now_or_never().is_none() && closed.ended().now_or_never().is_none());
    closed.close(Closing::of(CloseCause::Failed));
    assert_eq!(closed.closes().await.cause(), CloseCause::Failed);
    closed.end(&Closing::of(CloseCause::Failed));
    closed.ended().await;

    let moment = Instant::now() + Duration::from_millis(50);
    drained.close_at(moment, Closing::of(CloseCause::Stopping));
    assert_eq!(drained.closes().await.cause(), CloseCause::Stopping);
    assert!(Instant::now() >= moment);
}
