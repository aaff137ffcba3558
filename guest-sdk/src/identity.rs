//! Identities, from the side of the connection that registers as one: the options. The calls are on
//! [`Socket`](crate::Socket) and in [`messaging`](crate::messaging).

use std::time::Duration;

/// How a connection registers as an identity, for [`Socket::register_as`](crate::Socket::register_as). What the latest
/// registration says holds for the identity.
///
/// ```
/// # use lakou_sdk::IdentityOptions;
/// # use std::time::Duration;
/// let two_tabs = IdentityOptions::new().max_connections(2);
/// let for_an_hour = IdentityOptions::new().lifetime(Duration::from_secs(3600));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityOptions {
    pub(crate) lifetime_seconds: Option<u64>,
    pub(crate) max_connections: Option<u32>,
}

impl IdentityOptions {
    /// The defaults: a lifetime of 7 days, and one connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long the identity, and what waits for it, lives after the latest registration or handled notification. A started
    /// second is a whole one. At least 10 minutes: the host raises a shorter one to that and says so in its log.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime_seconds = Some(lifetime.as_secs().saturating_add(u64::from(lifetime.subsec_nanos() > 0)));
        self
    }

    /// How many connections may be registered as the identity at one time, on all servers together; the newest win. 0 is
    /// refused when it is used.
    #[must_use]
    pub fn max_connections(mut self, connections: u32) -> Self {
        self.max_connections = Some(connections);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, IdentityOptions};

    #[test]
    fn a_started_second_is_a_whole_one() {
        for (lifetime, seconds) in [
            (Duration::ZERO, 0),
            (Duration::from_secs(900), 900),
            (Duration::from_millis(900_001), 901),
            (Duration::MAX, u64::MAX),
        ] {
            assert_eq!(IdentityOptions::new().lifetime(lifetime).lifetime_seconds, Some(seconds));
        }
        assert_eq!(IdentityOptions::new().lifetime_seconds, None);
    }
}
