//! What the operations of the store mean, in terms of rows and holders. Each runs inside a transaction of the writer.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use redb::WriteTransaction;

use super::holders::{Holder, Holders};
use super::ledger::{Ledger, Record};
use crate::ids::ConnectionId;
use crate::message::Event;
use crate::store::{
    ASIDE_LIMIT, Bounds, FETCH_BYTES, Failed, Identity, NotificationId, Notified, Registered, StoreError, Terms,
    Waiting,
};

/// Everything that the store knows, inside one transaction.
pub(super) struct Books<'t> {
    pub(super) ledger: Ledger<'t>,
    pub(super) transaction: &'t WriteTransaction,
    pub(super) holders: &'t mut Holders,
    pub(super) bounds: Bounds,
}

impl Books<'_> {
    pub(super) fn register(
        &mut self,
        identity: &Identity,
        connection: ConnectionId,
        terms: &Terms,
    ) -> Result<Result<Registered, StoreError>, StoreError> {
        let found = self.living(identity)?;
        if found.is_none() && !self.ledger.accounts.has_room(&terms.owner)? {
            return Ok(Err(StoreError::MailboxesFull(terms.owner.limit)));
        }
        let mut record = found.unwrap_or_default();
        self.ledger.accounts.own(identity.as_str().as_bytes(), &terms.owner, record.bytes)?;
        let mut holders = self.holders.of(identity).to_vec();
        let known = holders.iter().position(|holder| holder.connection == connection);
        let cursor = known.map_or(record.handled, |at| holders.remove(at).cursor);
        holders.push(Holder { connection, cursor });
        let surplus = holders.len().saturating_sub(terms.max_connections());
        let pushed_out = holders.drain(..surplus).map(|holder| holder.connection).collect();
        self.holders.set(identity, holders);

        record.lifetime = terms.lifetime_millis();
        renew(&mut record);
        self.trim(identity, &mut record)?;
        self.ledger.set_record(identity, record)?;
        Ok(Ok(Registered { pushed_out, waiting: self.ledger.count_after(identity, cursor)? }))
    }

    pub(super) fn unregister(&mut self, identity: &Identity, connection: ConnectionId) -> Result<(), StoreError> {
        let Some(mut record) = self.living(identity)? else { return Ok(()) };
        let mut holders = self.holders.of(identity).to_vec();
        let Some(at) = holders.iter().position(|holder| holder.connection == connection) else { return Ok(()) };
        holders.remove(at);
        self.holders.set(identity, holders);
        if self.trim(identity, &mut record)? {
            self.ledger.set_record(identity, record)?;
        }
        Ok(())
    }

    pub(super) fn registered(&mut self, identity: &Identity) -> Result<bool, StoreError> {
        Ok(self.living(identity)?.is_some())
    }

    pub(super) fn notify(
        &mut self,
        identity: &Identity,
        event: &Event,
        cost: u64,
    ) -> Result<Result<Option<Notified>, StoreError>, StoreError> {
        let Some(mut record) = self.living(identity)? else { return Ok(Ok(None)) };
        // After a start there may be some that only holders of the old process had not handled.
        if self.trim(identity, &mut record)? {
            self.ledger.set_record(identity, record)?;
        }
        if let Some(limit) = self.ledger.accounts.full(identity.as_str().as_bytes(), cost)? {
            return Ok(Err(StoreError::MailboxesFull(limit)));
        }
        let mut dropped = 0;
        let full = |record: &Record| {
            record.entries >= u64::from(self.bounds.entries) || record.bytes.saturating_add(cost) > self.bounds.bytes
        };
        while full(&record)
            && let Some(freed) = self.ledger.remove_oldest(identity, u64::MAX)?
        {
            subtract(&mut record, freed);
            dropped += 1;
        }
        let id = record.last.saturating_add(1).max(micros());
        self.ledger.append(identity, id, event)?;
        record.last = id;
        record.entries += 1;
        record.bytes += cost;
        self.ledger.set_record(identity, record)?;
        let holders = self.holders.of(identity).iter().map(|holder| holder.connection).collect();
        Ok(Ok(Some(Notified { id: NotificationId::from_number(id), holders, dropped })))
    }

    pub(super) fn waiting(
        &mut self,
        identity: &Identity,
        connection: ConnectionId,
        most: usize,
    ) -> Result<Waiting, StoreError> {
        self.living(identity)?;
        let holder = self.holders.of(identity).iter().find(|holder| holder.connection == connection);
        let Some(cursor) = holder.map(|holder| holder.cursor) else { return Ok(Waiting::NotHolder) };
        let (mut entries, mut bytes) = (0, 0);
        let fits = |event: &Event| {
            let goes_on = entries < most && bytes < FETCH_BYTES;
            entries += 1;
            bytes += event.cost() as u64;
            goes_on
        };
        Ok(Waiting::Entries(self.ledger.entries_after(identity, cursor, fits)?))
    }

    pub(super) fn handled(
        &mut self,
        identity: &Identity,
        connection: ConnectionId,
        upto: NotificationId,
    ) -> Result<bool, StoreError> {
        let Some(mut record) = self.living(identity)? else { return Ok(false) };
        // What is still to come has not been handled.
        let upto = upto.number().min(record.last);
        let mut holders = self.holders.of(identity).to_vec();
        let holder = holders.iter_mut().find(|holder| holder.connection == connection);
        let known = holder.map(|holder| holder.cursor = holder.cursor.max(upto)).is_some();
        self.holders.set(identity, holders);
        record.handled = record.handled.max(upto);
        renew(&mut record);
        self.trim(identity, &mut record)?;
        self.ledger.set_record(identity, record)?;
        Ok(known)
    }

    pub(super) fn failed(&mut self, identity: &Identity, id: NotificationId) -> Result<Failed, StoreError> {
        let Some(mut record) = self.living(identity)? else { return Ok(Failed::Gone) };
        let Some(attempts) = self.ledger.count_attempt(identity, id.number())? else { return Ok(Failed::Gone) };
        if attempts < self.bounds.attempts {
            return Ok(Failed::Again { attempts });
        }
        let freed = self.ledger.set_aside(identity, id.number(), ASIDE_LIMIT)?;
        subtract(&mut record, freed);
        self.ledger.set_record(identity, record)?;
        Ok(Failed::SetAside)
    }

    /// Looks at some identities after `name` and forgets those that have lapsed, for as long as others can wait for it.
    pub(super) fn sweep(&mut self, name: &[u8]) -> Result<Swept, StoreError> {
        let (started, now) = (Instant::now(), millis());
        let seen = self.ledger.records_after(name, SWEEP_STEP)?;
        let mut swept = Swept { upto: Vec::new(), forgotten: 0 };
        for (name, lapses_at) in &seen {
            if *lapses_at <= now {
                let identity = std::str::from_utf8(name).map_err(|_| "is no text".to_owned()).and_then(Identity::new);
                self.forget(&identity.map_err(StoreError::Corrupt)?)?;
                swept.forgotten += 1;
            }
            if started.elapsed() > SWEEP_TIME {
                swept.upto.clone_from(name);
                return Ok(swept);
            }
        }
        if seen.len() == SWEEP_STEP {
            swept.upto = seen.into_iter().next_back().unwrap_or_default().0;
        }
        Ok(swept)
    }

    /// What is kept of an identity that has not lapsed; one that has is forgotten.
    fn living(&mut self, identity: &Identity) -> Result<Option<Record>, StoreError> {
        let record = self.ledger.record(identity)?;
        if record.is_some_and(|record| record.lapses_at <= millis()) {
            self.forget(identity)?;
            return Ok(None);
        }
        Ok(record)
    }

    fn forget(&mut self, identity: &Identity) -> Result<(), StoreError> {
        self.holders.set(identity, Vec::new());
        self.ledger.forget(identity)
    }

    /// Removes what nobody needs any more, and says whether there was something.
    fn trim(&mut self, identity: &Identity, record: &mut Record) -> Result<bool, StoreError> {
        let holders = self.holders.of(identity);
        let upto = holders.iter().map(|holder| holder.cursor).min().unwrap_or(record.handled);
        let before = record.entries;
        while record.entries > 0
            && let Some(freed) = self.ledger.remove_oldest(identity, upto)?
        {
            subtract(record, freed);
        }
        Ok(record.entries < before)
    }
}

/// What came of a sweep.
pub(super) struct Swept {
    /// Where to go on; empty is the beginning.
    pub(super) upto: Vec<u8>,
    pub(super) forgotten: usize,
}

/// How many identities a sweep looks at, and how long it takes before what waits has its turn: mailboxes may be full.
pub(super) const SWEEP_STEP: usize = 1000;
const SWEEP_TIME: Duration = Duration::from_millis(10);

fn subtract(record: &mut Record, freed: u64) {
    record.entries = record.entries.saturating_sub(1);
    record.bytes = record.bytes.saturating_sub(freed);
}

fn renew(record: &mut Record) {
    record.lapses_at = millis().saturating_add(record.lifetime);
}

pub(super) fn millis() -> u64 {
    micros() / 1000
}

/// Since 1970.
fn micros() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}
