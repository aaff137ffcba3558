//! Every setting, once: a row of the table in `server` or, for what each controller may have, in `limits`. `settings` is both as one
//! list, of which files, flags and variables are made, and `page` the reference; `sources` merges the three; `form` and `value` read
//! durations, sizes and the like.

use std::time::Duration;

mod addressee;
mod form;
mod grants;
mod host;
mod limits;
mod listen;
mod nearest;
mod page;
mod server;
mod settings;
mod shares;
mod sources;
mod value;

pub use addressee::{Addressee, Names};
pub use grants::{Folder, Grants, Value, Variable};
pub use host::HostPattern;
pub use limits::{ControllerConfig, GuestLimits};
pub use listen::ListenAddress;
pub(crate) use page::page;
pub use server::Config;
pub(crate) use settings::all as settings;
pub(crate) use shares::Shares;
pub use sources::{ConfigError, Sources};

/// The header field in which proxies name the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForwardedHeader {
    /// `x-forwarded-for`, which most proxies set.
    XForwardedFor,
    /// `forwarded`, of RFC 7239.
    Forwarded,
}

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const GIB: usize = 1024 * MIB;

impl ForwardedHeader {
    /// As it is called.
    pub(crate) fn name(&self) -> String {
        match self {
            ForwardedHeader::XForwardedFor => "x-forwarded-for",
            ForwardedHeader::Forwarded => "forwarded",
        }
        .to_owned()
    }
}

impl Config {
    /// Whether the settings fit together. Settings that are read one by one are checked one by one before.
    ///
    /// # Errors
    ///
    /// The first that does not, with what is allowed.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.idle_timeout <= self.ping_interval {
            return Err(ConfigError::Together(format!(
                "idle-timeout ({:?}) must be longer than ping-interval ({:?}): a client is pinged before it is given up",
                self.idle_timeout, self.ping_interval
            )));
        }
        if self.proxy_protocol && self.trusted_proxies.is_empty() {
            let wrong = "proxy-protocol needs trusted-proxies: only they are listened to";
            return Err(ConfigError::Together(wrong.into()));
        }
        Ok(())
    }

    /// The longest that a call into any controller may take.
    pub(crate) fn largest_call_time(&self) -> Duration {
        self.overrides.values().filter_map(|controller| controller.call_time).fold(self.guest.call_time, Duration::max)
    }
}
