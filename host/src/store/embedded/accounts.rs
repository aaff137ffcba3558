//! The owner that pays for each identity, and what the identities of each owner cost. An account is the sum of what is charged to it,
//! kept along with the rows; nothing is ever counted anew.

use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};

use super::ledger::lost;
use crate::store::{IDENTITY_COST, Owner, StoreError};

// A file that was written before there were accounts has identities for which nobody pays, until they are registered again.
/// By identity: its owner.
const OWNERS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("owners");
/// By owner: what its identities cost, and what they may cost.
const ACCOUNTS: TableDefinition<&[u8], (u64, u64)> = TableDefinition::new("accounts");

/// The tables, open for one transaction.
pub(super) struct Accounts<'t> {
    owners: Table<'t, &'static [u8], &'static [u8]>,
    accounts: Table<'t, &'static [u8], (u64, u64)>,
}

impl<'t> Accounts<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, StoreError> {
        Ok(Accounts {
            owners: transaction.open_table(OWNERS).map_err(lost)?,
            accounts: transaction.open_table(ACCOUNTS).map_err(lost)?,
        })
    }

    /// Whether this owner may have one more identity.
    pub(super) fn has_room(&self, owner: &Owner) -> Result<bool, StoreError> {
        let cost = self.accounts.get(owner.name.as_bytes()).map_err(lost)?.map_or(0, |row| row.value().0);
        Ok(cost.saturating_add(IDENTITY_COST) <= owner.limit)
    }

    /// The limit that so many more bytes for an identity would be beyond; none: there is room.
    pub(super) fn full(&self, identity: &[u8], bytes: u64) -> Result<Option<u64>, StoreError> {
        let Some(owner) = self.owners.get(identity).map_err(lost)? else { return Ok(None) };
        let account = self.accounts.get(owner.value()).map_err(lost)?.map(|row| row.value());
        Ok(account.filter(|(cost, limit)| cost.saturating_add(bytes) > *limit).map(|(_, limit)| limit))
    }

    /// Has the owner pay for an identity for which nobody does, with what is in its mailbox. Its limit may be another one
    /// than the last time.
    pub(super) fn own(&mut self, identity: &[u8], owner: &Owner, bytes: u64) -> Result<(), StoreError> {
        let name = owner.name.as_bytes();
        let paid = {
            let row = self.owners.get(identity).map_err(lost)?;
            row.map(|row| row.value() == name)
        };
        let mine = paid.unwrap_or(true);
        let new = if paid.is_none() { IDENTITY_COST.saturating_add(bytes) } else { 0 };
        if paid.is_none() {
            self.owners.insert(identity, name).map_err(lost)?;
        }
        if mine {
            let cost = self.accounts.get(name).map_err(lost)?.map_or(0, |row| row.value().0);
            self.accounts.insert(name, (cost.saturating_add(new), owner.limit)).map_err(lost)?;
        }
        Ok(())
    }

    /// The mailbox of an identity had `before` bytes and has `after`.
    pub(super) fn resize(&mut self, identity: &[u8], before: u64, after: u64) -> Result<(), StoreError> {
        if before == after {
            return Ok(());
        }
        let Some(owner) = self.owners.get(identity).map_err(lost)?.map(|row| row.value().to_vec()) else {
            return Ok(());
        };
        self.charge(&owner, before, after)
    }

    /// An identity that had so many bytes is no more.
    pub(super) fn close(&mut self, identity: &[u8], bytes: u64) -> Result<(), StoreError> {
        let Some(owner) = self.owners.remove(identity).map_err(lost)?.map(|row| row.value().to_vec()) else {
            return Ok(());
        };
        self.charge(&owner, bytes.saturating_add(IDENTITY_COST), 0)
    }

    fn charge(&mut self, owner: &[u8], before: u64, after: u64) -> Result<(), StoreError> {
        let Some((cost, limit)) = self.accounts.get(owner).map_err(lost)?.map(|row| row.value()) else {
            return Ok(());
        };
        let cost = cost.saturating_add(after).saturating_sub(before);
        if cost == 0 {
            self.accounts.remove(owner).map_err(lost)?;
        } else {
            self.accounts.insert(owner, (cost, limit)).map_err(lost)?;
        }
        Ok(())
    }
}
