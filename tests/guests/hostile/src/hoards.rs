//! As much as there is of what the host has: memory, handles, timers, topics, attention.

use crate::HostileEvents;
use lakou_sdk::{Event, IdentityOptions, Result, Socket, messaging};
use std::hint::black_box;
use std::mem::forget;
use std::time::Duration;
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::http::types::{Fields, Method, OutgoingRequest};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Asks for memory without touching it, so that the limit of memory is met before that of CPU time.
pub(crate) fn memory() -> ! {
    loop {
        forget(black_box(Vec::<u8>::with_capacity(1 << 20)));
    }
}

pub(crate) fn pollables() -> ! {
    loop {
        forget(subscribe_duration(u64::MAX));
    }
}

pub(crate) fn fields() -> ! {
    loop {
        forget(Fields::new());
    }
}

/// A method of 8 MiB, which the host would keep for as long as there is a request.
pub(crate) fn methods() -> String {
    let request = OutgoingRequest::new(Fields::new());
    format!("{:?}", request.set_method(&Method::Other("A".repeat(8 << 20))))
}

/// Timers that are over at once, and whose events wait until this call ends.
pub(crate) fn ticks(socket: &Socket) -> String {
    let mut set = 0;
    for _ in 0..20 {
        while let Ok(timer) = socket.after(Duration::ZERO, HostileEvents::strike()) {
            timer.detach();
            set += 1;
        }
        // Time for them to go off; then their handles are let go of.
        subscribe_duration(5_000_000).block();
    }
    format!("{set} set")
}

/// One message of more bytes than any message has.
pub(crate) fn handover(socket: &Socket) -> String {
    format!("{:?}", socket.send(vec![0; 40 << 20]))
}

pub(crate) fn random() -> String {
    format!("{} bytes", wasip2::random::random::get_random_bytes(1 << 40).len())
}

pub(crate) fn timers(socket: &Socket) -> String {
    let mut set = 0;
    loop {
        match socket.every(DAY, HostileEvents::strike()) {
            Ok(timer) => timer.detach(),
            Err(fault) => return format!("{set} set: {fault}"),
        }
        set += 1;
    }
}

pub(crate) fn topics(socket: &Socket) -> String {
    let topics = (0..100_000).map(|number| format!("topic {number}"));
    let refused = topics.enumerate().find_map(|(number, topic)| Some((number, socket.subscribe(&topic).err()?)));
    refused.map_or("never refused".to_owned(), |(number, fault)| format!("{number} had: {fault}"))
}

/// Identities for ten years, each with something in its mailbox, which nobody is left to read.
pub(crate) fn mailboxes(socket: &Socket) -> String {
    for number in 0.. {
        let name = format!("user {number}");
        let options = IdentityOptions::new().lifetime(10 * 365 * DAY);
        if let Err(fault) = fill_mailbox(socket, &name, options) {
            return format!("{number} filled: {fault}");
        }
    }
    unreachable!("a refusal comes first")
}

fn fill_mailbox(socket: &Socket, name: &str, options: IdentityOptions) -> Result {
    socket.register_as(name, options)?;
    socket.unregister(name)?;
    let junk = Event::from_json("junk", format!(r#"["{}"]"#, "x".repeat(20_000)));
    messaging::notify(name, junk).map(drop)
}

/// The same identity again and again within a call, during which no handler can be done with what waits for it.
pub(crate) fn registrations(socket: &Socket) -> String {
    let _ = socket.register_as("again", IdentityOptions::new());
    let _ = messaging::notify("again", HostileEvents::strike());
    for number in 0..10_000 {
        let _ = socket.unregister("again");
        if let Err(fault) = socket.register_as("again", IdentityOptions::new()) {
            return format!("{number} had: {fault}");
        }
        // Time for whoever serves it to begin.
        subscribe_duration(1_000_000).block();
    }
    "never refused".to_owned()
}
