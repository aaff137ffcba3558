//! What the real host checks of what it is handed, so that a test meets the same refusals.

use std::time::Duration;

use crate::event::Event;
use crate::fault::{Fault, Result};
use crate::id::ConnectionId;
use crate::identity::IdentityOptions;
use crate::saved::Saved;
use crate::timer;

pub(super) mod answers;
pub(super) mod outgoing;

/// Longer names of events, topics and identities are invalid, in bytes.
const LONGEST_NAME: usize = 256;
/// The body of a plain request is not larger, in bytes.
pub(super) const LARGEST_BODY: usize = 8 << 20;
/// The arguments of an event are not larger, in bytes.
const LARGEST_EVENT: usize = 256 * 1024;
/// A message is not larger, in bytes.
const LARGEST_MESSAGE: usize = 1024 * 1024;
/// What fits into a close frame beside the code, in bytes.
const LONGEST_REASON: usize = 123;
/// So many topics has a connection.
const MOST_TOPICS: usize = 128;
/// So many identities has a connection.
const MOST_IDENTITIES: usize = 8;
/// A shorter lifetime of an identity is raised to this, in seconds.
const SHORTEST_LIFETIME: u64 = 600;
/// A saved state is not larger, in bytes.
const LARGEST_STATE: usize = 64 * 1024;
/// So many timers run for one connection.
const MOST_TIMERS: usize = 64;
/// Shorter intervals of a timer are invalid, in milliseconds.
const SHORTEST_INTERVAL: u64 = 10;
/// Longer times of a timer are invalid, in milliseconds.
const LONGEST_TIME: u64 = 366 * 24 * 60 * 60 * 1000;

/// Longer keys are invalid, in bytes.
const LONGEST_KEY: usize = 512;
/// A value is not larger, in bytes.
const LARGEST_VALUE: usize = 256 * 1024;

/// The id of the connection that was opened as number `number`.
pub(super) fn id(number: u64) -> ConnectionId {
    format!("00000000-0000-8000-8000-{number:012x}").into()
}

pub(super) fn target(id: &ConnectionId) -> Result {
    let groups: Vec<&str> = id.as_str().split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let is_hex = |group: &&str| group.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_uuid = lengths == [8, 4, 4, 4, 12] && groups.iter().all(is_hex);
    let is_version_8 = is_uuid && groups[2].starts_with('8') && groups[3].starts_with(['8', '9', 'a', 'b']);
    check(is_version_8, "not the id of a connection")
}

pub(super) fn event(event: &Event) -> Result {
    let args = event.checked_args()?;
    let length = event.name().len();
    check((1..=LONGEST_NAME).contains(&length), "the name of an event is 1 to 256 bytes")?;
    if args.len() <= LARGEST_EVENT { Ok(()) } else { Err(Fault::TooLarge) }
}

pub(super) fn message(bytes: &[u8]) -> Result {
    if bytes.len() <= LARGEST_MESSAGE { Ok(()) } else { Err(Fault::TooLarge) }
}

pub(super) fn topic(topic: &str) -> Result {
    check((1..=LONGEST_NAME).contains(&topic.len()), "a topic is 1 to 256 bytes")?;
    check(!topic.contains('*'), "a topic has no `*`: there are no patterns of topics")
}

/// Whether a connection with so many topics may have one more.
pub(super) fn topics(subscribed: usize) -> Result {
    if subscribed < MOST_TOPICS {
        return Ok(());
    }
    Err(Fault::Unavailable(format!("the connection has its {MOST_TOPICS} topics already")))
}

pub(super) fn identity(identity: &str) -> Result {
    check((1..=LONGEST_NAME).contains(&identity.len()), "an identity is 1 to 256 bytes")
}

/// Whether a connection with so many identities may have one more.
pub(super) fn identities(registered: usize) -> Result {
    if registered < MOST_IDENTITIES {
        return Ok(());
    }
    Err(Fault::Unavailable(format!("the connection has its {MOST_IDENTITIES} identities already")))
}

/// How many connections may be registered at one time.
pub(super) fn max_connections(options: &IdentityOptions) -> Result<u32> {
    let most = options.max_connections.unwrap_or(1);
    check(most > 0, "an identity has at least one connection")?;
    Ok(most)
}

/// What the host's log says of a lifetime that is raised.
pub(super) fn raised_lifetime(options: &IdentityOptions) -> Option<String> {
    let lifetime = options.lifetime_seconds.filter(|lifetime| *lifetime < SHORTEST_LIFETIME)?;
    Some(format!("register_as: a lifetime of {lifetime} s is raised to {SHORTEST_LIFETIME} s"))
}

pub(super) fn resumable(resumes: bool) -> Result {
    check(resumes, "the component does not say that it can be resumed")
}

pub(super) fn state(state: &Saved) -> Result {
    if state.as_bytes().len() <= LARGEST_STATE { Ok(()) } else { Err(Fault::TooLarge) }
}

/// Whether a connection with so many timers may have one more.
pub(super) fn timers(running: usize) -> Result {
    if running < MOST_TIMERS {
        return Ok(());
    }
    Err(Fault::Unavailable(format!("the connection has its {MOST_TIMERS} timers already")))
}

pub(super) fn time(time: Duration) -> Result {
    check(timer::milliseconds(time) <= LONGEST_TIME, "the time of a timer is at most a year")
}

pub(super) fn interval(interval: Duration) -> Result {
    check(timer::milliseconds(interval) >= SHORTEST_INTERVAL, "an interval is at least 10 milliseconds")
}

pub(super) fn key(key: &str) -> Result {
    check((1..=LONGEST_KEY).contains(&key.len()), "a key is 1 to 512 bytes")
}

pub(super) fn value(value: &[u8]) -> Result {
    if value.len() <= LARGEST_VALUE { Ok(()) } else { Err(Fault::TooLarge) }
}

/// A value that can be added to.
pub(super) fn number(value: &[u8]) -> Result<i64> {
    let text = std::str::from_utf8(value).unwrap_or_default();
    let number = text.parse().ok().filter(|number: &i64| number.to_string() == text);
    number.ok_or_else(|| Fault::Invalid("the value is no whole number".to_owned()))
}

/// Whether there is somebody to send to.
pub(super) fn somebody(is_there: bool) -> Result {
    check(is_there, "there is nobody to send to: it is the object of a service")
}

pub(super) fn closing(code: u16, reason: &str) -> Result {
    check(matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999), "this close code may not be sent")?;
    check(reason.len() <= LONGEST_REASON, "the reason of a close is at most 123 bytes")
}

/// Whether it is a token of HTTP (RFC 9110, section 5.6.2).
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn check(holds: bool, otherwise: &str) -> Result {
    if holds { Ok(()) } else { Err(Fault::Invalid(otherwise.to_owned())) }
}
