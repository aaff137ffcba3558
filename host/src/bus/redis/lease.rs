//! Whether a server has a lease, which other programs may have written, too. The roster renews its own, and judges what follows from
//! one that has run out.

use std::time::Duration;

use super::Shared;
use super::roster::{LEASE, millis};
use crate::ids::ServerId;
use crate::link::LinkError;

/// A lease that holds for longer is nobody's that renews it.
const LONGEST_LEASE: Duration = Duration::from_secs(60);

impl Shared {
    /// Whether a server has a lease. One that would never end is given the usual end.
    pub(super) async fn has_lease(&self, server: ServerId) -> Result<bool, LinkError> {
        let lease = self.names.lease(server);
        let left: i64 = self.link.query(&lease, redis::cmd("PTTL").arg(&lease)).await?;
        let Ok(left) = u64::try_from(left) else {
            // -2: it is not there. -1: it has no end.
            return if left == -1 { self.end_lease(&lease).await.map(|()| true) } else { Ok(false) };
        };
        if left > millis(LONGEST_LEASE) {
            self.end_lease(&lease).await?;
        }
        Ok(true)
    }

    async fn end_lease(&self, lease: &str) -> Result<(), LinkError> {
        self.metrics.redis_mended.count();
        if self.may_complain() {
            tracing::warn!(
                lease,
                "redis: a lease has no end, or a late one; it ends soon if its server does not renew it"
            );
        }
        self.link.query(lease, redis::cmd("PEXPIRE").arg(lease).arg(millis(LEASE))).await
    }
}
