//! The deeds, one function each. Every one of them must end at a limit of the host's, but for `nap` and
//! `insist`, which end by themselves.

use crate::MisbehaveEvents;
use lakou_sdk::Socket;
use std::hint::black_box;
use std::time::Duration;

/// Long for those who wait, and within the host's limits.
const NAP: Duration = Duration::from_millis(500);

/// What to do, and in which handler.
pub(crate) struct Plan {
    deed: String,
    place: String,
}

impl Plan {
    /// The plan that a path's last segment spells, e.g. `panic-in-message`.
    pub(crate) fn of(segment: Option<&str>) -> Self {
        let (deed, place) = segment.unwrap_or_default().split_once("-in-").unwrap_or_default();
        Plan { deed: deed.to_owned(), place: place.to_owned() }
    }

    /// Carries the plan out if `place` is where.
    pub(crate) fn reached(&self, place: &str, socket: Option<&Socket>) {
        if self.place != place {
            return;
        }
        match (self.deed.as_str(), socket) {
            ("panic", _) => panic!("on purpose"),
            ("loop", _) => spin(),
            ("hog", _) => hog(),
            ("recurse", _) => drop(black_box(recurse(1))),
            ("sleep", _) => std::thread::sleep(Duration::from_secs(3600)),
            ("nap", _) => std::thread::sleep(NAP),
            ("exit", _) => std::process::exit(7),
            ("insist", Some(socket)) => socket.send("are you there?").expect("the client is there"),
            ("forge", Some(socket)) => forge(socket),
            ("flood-log", Some(socket)) => flood_log(socket),
            ("flood-events", Some(socket)) => flood_events(socket),
            ("flood-messages", Some(socket)) => flood_messages(socket),
            (deed, _) => panic!("no deed `{deed}` is possible here"),
        }
    }
}

fn spin() {
    loop {
        std::hint::spin_loop();
    }
}

/// Asks for memory without touching it, so that the limit of memory is met before that of CPU time.
fn hog() {
    loop {
        std::mem::forget(black_box(Vec::<u8>::with_capacity(1 << 20)));
    }
}

#[expect(unconditional_recursion, reason = "it ends at a limit of the host's")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    black_box(recurse(frame[63] + 1)) + frame[0]
}

/// Tries to make the operator's terminal and log say what was never logged.
fn forge(socket: &Socket) {
    eprintln!("\x1b[2Jcleared");
    eprintln!("before\r2026-01-01T00:00:00Z ERROR forged");
    eprintln!("bell \x07, backspaces \x08\x08, a null \0, c1 \u{9b}2J");
    let _ = socket.send("forged");
}

fn flood_log(socket: &Socket) {
    for number in 0..20_000 {
        eprintln!("line {number} of many {}", "x".repeat(100));
        println!("line {number} of many {}", "x".repeat(100));
    }
    // One line longer than any log should hold.
    eprintln!("{}", "y".repeat(1 << 20));
    let _ = socket.send("logged");
}

fn flood_events(socket: &Socket) {
    let refused = (0..300_000).filter(|_| socket.broadcast(MisbehaveEvents::drop_in_the_flood()).is_err()).count();
    let _ = socket.send(format!("refused {refused}"));
}

/// Ends when the host closes the connection for being too slow, and only then.
fn flood_messages(socket: &Socket) {
    let block = vec![0_u8; 1 << 16];
    while socket.send(block.clone()).is_ok() {}
}
