//! Hostile clients, a scenario each, named after what it tries: what stops it, what is counted, the line in the log with the
//! attacker's address, and a bystander whose echo stays prompt meanwhile. `hostile`, `unread`, `requests`, `client_events` and
//! `static_files` have more of them.

use crate::harness::host::{Furnished, TestHost};
use std::time::Duration;

mod addresses;
mod bodies;
mod floods;
mod frames;
mod heads;
mod proxies;

/// What is cut off soon is cut off after this time.
const SHORT: Duration = Duration::from_millis(300);

fn host() -> Furnished {
    // Who has been answered and says no more is let go of soon, too.
    TestHost::serving(&["echo", "probe", "breaks-off"]).config(|config| config.keep_alive_timeout = SHORT * 4)
}
