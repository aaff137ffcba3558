//! What must hold of everything that reads bytes from outside, for any bytes. `fuzz/` has fuzzers that look for bytes for which
//! it does not hold; `tests/replay.rs` looks at those that fuzzers have found interesting.

mod client_event;
mod config;
mod defaults;
mod frames;
mod redis;
mod route;

/// A check of some bytes, which panics if something does not hold.
pub type Check = fn(&[u8]);

/// The checks by the names of their fuzzers and corpora.
pub const CHECKS: [(&str, Check); 7] = [
    ("client_event", client_event::check),
    ("config", config::check),
    ("defaults", defaults::check),
    ("frames", frames::check),
    ("redis_entry", redis::check_entry),
    ("redis_publication", redis::check_publication),
    ("route", route::check),
];

/// The check of this name.
///
/// # Panics
///
/// If there is none.
pub fn check(name: &str) -> Check {
    CHECKS.iter().find(|(known, _)| *known == name).expect("the name of a check").1
}

/// An error is one line, and no character of it moves a terminal's cursor.
fn one_line(error: &str) {
    let moves = |character: char| character.is_control() && character != '\t';
    assert!(!error.contains(moves), "not one line: {error:?}");
}
