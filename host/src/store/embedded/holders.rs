//! The registrations of this process, with the way back if the transaction that changed it fails.

use std::collections::HashMap;

use crate::ids::ConnectionId;
use crate::store::Identity;

/// A connection that is registered as an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) connection: ConnectionId,
    /// The last notification that it has handled, or need not.
    pub(super) cursor: u64,
}

/// The holders of every identity, the oldest registration first.
#[derive(Default)]
pub(super) struct Holders {
    current: HashMap<Identity, Vec<Holder>>,
    /// How those were that this transaction has changed.
    before: HashMap<Identity, Vec<Holder>>,
}

impl Holders {
    pub(super) fn of(&self, identity: &Identity) -> &[Holder] {
        self.current.get(identity).map_or(&[], Vec::as_slice)
    }

    pub(super) fn set(&mut self, identity: &Identity, holders: Vec<Holder>) {
        let before = if holders.is_empty() {
            self.current.remove(identity)
        } else {
            self.current.insert(identity.clone(), holders)
        };
        self.before.entry(identity.clone()).or_insert(before.unwrap_or_default());
    }

    /// The transaction is on the disk.
    pub(super) fn commit(&mut self) {
        self.before.clear();
    }

    /// The transaction never was.
    pub(super) fn roll_back(&mut self) {
        for (identity, holders) in std::mem::take(&mut self.before) {
            if holders.is_empty() {
                self.current.remove(&identity);
            } else {
                self.current.insert(identity, holders);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ServerId;

    #[test]
    fn a_transaction_that_fails_changes_no_holder() {
        let identity = |name| Identity::new(name).expect("an identity");
        let holder = || Holder { connection: ConnectionId::random(ServerId::random()), cursor: 1 };
        let (ann, bob) = (identity("ann"), identity("bob"));
        let (first, second) = (holder(), holder());
        let mut holders = Holders::default();
        holders.set(&ann, vec![first]);
        holders.commit();

        holders.set(&ann, vec![first, second]);
        holders.set(&ann, vec![]);
        holders.set(&bob, vec![second]);
        assert_eq!((holders.of(&ann), holders.of(&bob)), (&[][..], &[second][..]));
        holders.roll_back();
        assert_eq!((holders.of(&ann), holders.of(&bob)), (&[first][..], &[][..]));
    }
}
