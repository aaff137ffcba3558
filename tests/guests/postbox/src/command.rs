//! What a client can tell the guest to do. Each command is answered by its outcome: `ok`, `true`, `false` or the fault.

use crate::PostboxEvents;
use lakou_sdk::{Event, IdentityOptions, Result, Socket, messaging};
use std::cell::RefCell;
use std::fmt::Display;
use std::rc::Rc;
use std::time::Duration;

thread_local! {
    // A guest has one thread. A socket that outlives its connection, because the guest has put it aside.
    static KEPT: RefCell<Option<Rc<Socket>>> = const { RefCell::new(None) };
}

/// Obeys `COMMAND ARGUMENTS`.
pub(crate) fn obey(socket: &Rc<Socket>, text: &str) -> String {
    let (command, rest) = text.split_once(' ').unwrap_or((text, ""));
    let (first, second) = rest.split_once(' ').unwrap_or((rest, ""));
    match command {
        "echo" => rest.to_owned(),
        // register NAME [MAX-CONNECTIONS [SECONDS]]
        "register" => outcome(socket.register_as(first, options(second)).map(|()| "ok")),
        "unregister" => outcome(socket.unregister(first).map(|()| "ok")),
        // Both at once, which no other call comes between.
        "again" => {
            let _ = socket.unregister(first);
            outcome(socket.register_as(first, options(second)).map(|()| "ok"))
        }
        "notify" => notify(first, second),
        "registered" => registered(first),
        // Numbered notifications: from 1 to SECOND, without an answer of their own.
        "count" => {
            let told = (1..=number(second)).map(|number| notify(first, &format!("number {number}")));
            told.filter(|answer| answer == "true").count().to_string()
        }
        // Arguments of about SECOND bytes.
        "large" => notify(first, &"x".repeat(number(second))),
        // An event of another name.
        "named" => outcome(messaging::notify(first, Event::from_json(second.to_owned(), "[]"))),
        "close" => outcome(socket.close(4000, "as you say").map(|()| "ok")),
        "keep" => {
            KEPT.set(Some(Rc::clone(socket)));
            "kept".to_owned()
        }
        "kept" => {
            let kept = KEPT.with_borrow(Option::clone);
            kept.map_or_else(|| "nothing is kept".to_owned(), |kept| obey(&kept, rest))
        }
        _ => format!("no command `{command}`"),
    }
}

pub(crate) fn notify(name: &str, text: &str) -> String {
    outcome(messaging::notify(name, PostboxEvents::note(text)))
}

pub(crate) fn registered(name: &str) -> String {
    outcome(messaging::registered(name))
}

fn options(words: &str) -> IdentityOptions {
    let mut words = words.split(' ').filter(|word| !word.is_empty());
    let mut options = IdentityOptions::new();
    if let Some(connections) = words.next() {
        options = options.max_connections(u32::try_from(number(connections)).unwrap_or(u32::MAX));
    }
    if let Some(seconds) = words.next() {
        options = options.lifetime(Duration::from_secs(number(seconds) as u64));
    }
    options
}

fn outcome(result: Result<impl Display>) -> String {
    match result {
        Ok(value) => value.to_string(),
        Err(fault) => fault.to_string(),
    }
}

fn number(text: &str) -> usize {
    text.parse().unwrap_or_default()
}
