//! Hostile clients, a scenario each, named after what it tries: what stops it, what is counted, the line in the log with the
//! attacker's address, and a bystander whose echo stays prompt meanwhile.
//!
//! `protocol_errors` break the WebSocket protocol, `sizes` are too large, `slow_clients` hold on without using it, and `unread` take
//! nothing of what is owed to them: each is cut off with the close code that says why. `http`, `websocket` and `static_files` have
//! what clients do wrong without meaning harm.

use crate::harness::host::{Furnished, TestHost};
use std::time::Duration;

mod bodies;
mod floods;
mod forwarded;
mod frames;
mod heads;
mod protocol_errors;
mod proxy_protocol;
mod sizes;
mod slow_clients;
mod unread;

/// What is cut off soon is cut off after this time.
const SHORT: Duration = Duration::from_millis(300);

fn host() -> Furnished {
    // Who has been answered and says no more is let go of soon, too.
    TestHost::serving(&["echo", "probe", "breaks-off"]).config(|config| config.keep_alive_timeout = SHORT * 4)
}
