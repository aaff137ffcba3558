//! The reminders against the SDK's fake host: native, without a server, and without waiting.

use std::time::Duration;

use lakou_sdk::testing::{Client, Host};
use lakou_sdk::{Value, json};

use super::{LONGEST_VISIT, Reminder};

fn visitor(host: &Host) -> Client {
    host.connect::<Reminder>("/reminder").expect("open to all")
}

/// Asks for a reminder and expects that it is set as `number`.
fn set(client: &Client, how: &str, text: &str, seconds: f64, number: u32) {
    client.call(how, json!({ "text": text, "seconds": seconds }));
    assert_eq!(client.json(), [json!({ "event": "set", "number": number })]);
}

fn ring(number: u32, text: &str) -> Value {
    json!({ "event": "ring", "number": number, "text": text })
}

#[test]
fn a_reminder_comes_once_and_nagging_goes_on() {
    let host = Host::new();
    let ann = visitor(&host);
    set(&ann, "remind", "tea", 3.0, 1);
    set(&ann, "nag", "water", 2.0, 2);
    host.advance(Duration::from_millis(2999));
    assert_eq!(ann.json(), [ring(2, "water")]);
    host.advance(Duration::from_secs(5));
    assert_eq!(ann.json(), [ring(1, "tea"), ring(2, "water"), ring(2, "water")]);
}

#[test]
fn what_is_cancelled_does_not_ring() {
    let host = Host::new();
    let ann = visitor(&host);
    set(&ann, "remind", "tea", 0.5, 1);
    set(&ann, "nag", "water", 0.5, 2);
    for (number, known) in [(1, true), (2, true), (2, false), (7, false)] {
        ann.call("cancel", json!({ "number": number }));
        assert_eq!(ann.json(), [json!({ "event": "cancelled", "number": number, "known": known })]);
    }
    host.advance(Duration::from_secs(1));
    // As it would be if the event had been on its way.
    host.unicast(ann.id(), super::ReminderEvents::ring(1, "tea", false));
    assert!(ann.received().is_empty());
    assert_eq!(ann.timers(), 1, "the end of the visit");
}

#[test]
fn times_that_are_none_are_refused() {
    let host = Host::new();
    let ann = visitor(&host);
    for (how, seconds) in [("remind", -1.0), ("remind", 1e300), ("remind", 1e9), ("nag", 0.0), ("nag", 0.009)] {
        ann.call(how, json!({ "text": "x", "seconds": seconds }));
        let refused = ann.json();
        assert_eq!(refused[0]["event"], "refused", "{how} {seconds}");
    }
    for number in 1..64 {
        set(&ann, "remind", "tea", 60.0, number);
    }
    ann.call("remind", json!({ "text": "one too many", "seconds": 1 }));
    assert_eq!(ann.json()[0]["reason"], "unavailable: the connection has its 64 timers already");
}

#[test]
fn a_visit_ends() {
    let host = Host::new();
    let ann = visitor(&host);
    host.advance(LONGEST_VISIT - Duration::from_secs(1));
    assert_eq!(ann.closing(), None);
    host.advance(Duration::from_secs(1));
    assert_eq!(ann.closing().map(|closing| closing.code), Some(4000));
}

#[test]
fn clients_can_not_ring() {
    let host = Host::new();
    let ann = visitor(&host);
    ann.call("visit_is_over", json!({}));
    ann.call("ring", json!({ "number": 1, "text": "x", "again": false }));
    assert!(ann.received().is_empty() && ann.closing().is_none());
    assert_eq!(host.misfits().len(), 2);
}
