//! What a controller has of what the server has, and an address of its requests: half and a quarter, unless settings say otherwise.

use super::{Config, ControllerConfig, GuestLimits, MIB};

/// What one controller may have of what the server has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shares {
    pub(crate) connections: usize,
    pub(crate) instances: usize,
    pub(crate) requests: usize,
    /// What may wait for one of its clients.
    pub(crate) outbox: usize,
    /// Topics of one of its connections.
    pub(crate) topics: usize,
    /// Bytes that a guest may hand over at once.
    pub(crate) handover: usize,
}

/// A guest hands over its largest message or event a few times at the most, and small things beside it.
const HANDOVER: usize = 16 * MIB;

impl Config {
    /// The share of a controller with these settings of its own.
    pub(crate) fn shares(&self, own: &ControllerConfig) -> Shares {
        let limits = self.guest.with(own);
        let half = |all: usize| all.div_ceil(2);
        // Any message that a client may send can be echoed to it.
        let outbox = own.outbox.unwrap_or(self.outbox).max(self.max_message);
        Shares {
            connections: limits.connections.unwrap_or(half(self.max_connections)),
            instances: limits.instances.unwrap_or(half(self.max_instances as usize)),
            requests: limits.requests.unwrap_or(half(self.max_requests as usize)),
            outbox,
            topics: own.max_topics.unwrap_or(self.max_topics),
            handover: limits.max_handover.unwrap_or(outbox.max(self.max_event).saturating_mul(4).max(HANDOVER)),
        }
    }

    /// Plain requests of one client address that are answered at a time.
    pub(crate) fn requests_per_address(&self) -> usize {
        self.max_requests_per_address.unwrap_or((self.max_requests as usize).div_ceil(4))
    }

    /// The limits of everybody, and of each controller that has some of its own.
    pub(crate) fn all_limits(&self) -> impl Iterator<Item = GuestLimits> {
        std::iter::once(self.guest.clone()).chain(self.overrides.values().map(|own| self.guest.with(own)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_controller_has_half_of_the_server_unless_it_is_told_otherwise() {
        let mut config = Config { max_connections: 7, max_instances: 1, ..Config::default() };
        let shares = config.shares(&ControllerConfig::default());
        assert_eq!((shares.connections, shares.instances, shares.requests), (4, 1, 128));
        config.guest.connections = Some(5);
        let own = ControllerConfig { instances: Some(3), outbox: Some(2 * MIB), ..ControllerConfig::default() };
        let shares = config.shares(&own);
        assert_eq!((shares.connections, shares.instances, shares.outbox), (5, 3, 2 * MIB));
    }

    #[test]
    fn a_message_that_may_come_fits_into_the_outbox() {
        let own = ControllerConfig { outbox: Some(1), ..ControllerConfig::default() };
        assert_eq!(Config::default().shares(&own).outbox, MIB);
        let config = Config { max_message: 32 * MIB, ..Config::default() };
        assert_eq!(config.shares(&own).handover, 128 * MIB);
    }
}
