//! The tables of the file, in one transaction. It knows rows, and nothing of what they mean.

use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};

use super::accounts::Accounts;
use crate::message::{Event, SharedEvent};
use crate::store::{Identity, Notification, NotificationId, StoreError};

type Row = (u64, u64, u64, u64, u64, u64);
type EntryKey = (&'static [u8], u64);
type Entry = (u32, &'static [u8], &'static [u8]);

// Texts are stored as bytes: the library does not check those it reads, and panics on one that is none.
const IDENTITIES: TableDefinition<&[u8], Row> = TableDefinition::new("identities");
/// By identity and notification: failed attempts, name, arguments.
const MAILBOX: TableDefinition<EntryKey, Entry> = TableDefinition::new("mailbox");
/// The same for notifications that were set aside.
const ASIDE: TableDefinition<EntryKey, Entry> = TableDefinition::new("aside");

/// What is kept of an identity itself. Times are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Record {
    pub(super) lifetime: u64,
    /// Since 1970.
    pub(super) lapses_at: u64,
    /// The highest notification that any holder has handled.
    pub(super) handled: u64,
    /// The newest notification.
    pub(super) last: u64,
    /// How many are in the mailbox, and what they cost.
    pub(super) entries: u64,
    pub(super) bytes: u64,
}

impl Record {
    fn from_row((lifetime, lapses_at, handled, last, entries, bytes): Row) -> Self {
        Record { lifetime, lapses_at, handled, last, entries, bytes }
    }

    fn row(self) -> Row {
        (self.lifetime, self.lapses_at, self.handled, self.last, self.entries, self.bytes)
    }
}

/// The tables, open for one transaction.
pub(super) struct Ledger<'t> {
    identities: Table<'t, &'static [u8], Row>,
    mailbox: Table<'t, EntryKey, Entry>,
    aside: Table<'t, EntryKey, Entry>,
    pub(super) accounts: Accounts<'t>,
    /// Whether there is something to commit.
    pub(super) changed: bool,
}

impl<'t> Ledger<'t> {
    /// Opens the tables; those that are not there are made.
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, StoreError> {
        Ok(Ledger {
            identities: transaction.open_table(IDENTITIES).map_err(lost)?,
            mailbox: transaction.open_table(MAILBOX).map_err(lost)?,
            aside: transaction.open_table(ASIDE).map_err(lost)?,
            accounts: Accounts::open(transaction)?,
            changed: false,
        })
    }

    pub(super) fn record(&self, identity: &Identity) -> Result<Option<Record>, StoreError> {
        let row = self.identities.get(key(identity)).map_err(lost)?;
        Ok(row.map(|row| Record::from_row(row.value())))
    }

    /// Up to `most` identities after `name`, in the order of their names, each with when it lapses.
    pub(super) fn records_after(&self, name: &[u8], most: usize) -> Result<Vec<(Vec<u8>, u64)>, StoreError> {
        let range = (std::ops::Bound::Excluded(name), std::ops::Bound::Unbounded);
        let rows = self.identities.range::<&[u8]>(range).map_err(lost)?.take(most);
        let record = |row: Result<(redb::AccessGuard<'_, &[u8]>, redb::AccessGuard<'_, Row>), _>| {
            row.map(|(name, row)| (name.value().to_vec(), Record::from_row(row.value()).lapses_at))
        };
        rows.map(record).collect::<Result<_, _>>().map_err(lost)
    }

    pub(super) fn set_record(&mut self, identity: &Identity, record: Record) -> Result<(), StoreError> {
        self.changed = true;
        let before = {
            let row = self.identities.insert(key(identity), record.row()).map_err(lost)?;
            row.map_or(0, |row| Record::from_row(row.value()).bytes)
        };
        self.accounts.resize(key(identity), before, record.bytes)
    }

    /// Removes the identity and all that belongs to it.
    pub(super) fn forget(&mut self, identity: &Identity) -> Result<(), StoreError> {
        self.changed = true;
        let bytes = {
            let row = self.identities.remove(key(identity)).map_err(lost)?;
            row.map_or(0, |row| Record::from_row(row.value()).bytes)
        };
        let aside = self.aside_cost(identity)?;
        self.accounts.close(key(identity), bytes + aside)?;
        let all = (key(identity), 0)..=(key(identity), u64::MAX);
        self.mailbox.retain_in(all.clone(), |_, _| false).map_err(lost)?;
        self.aside.retain_in(all, |_, _| false).map_err(lost)
    }

    pub(super) fn append(&mut self, identity: &Identity, id: u64, event: &Event) -> Result<(), StoreError> {
        self.changed = true;
        let entry = (0, event.name.as_bytes(), event.args.as_bytes());
        self.mailbox.insert((key(identity), id), entry).map_err(lost)?;
        Ok(())
    }

    /// The notifications after `cursor`, the oldest first, for as long as `goes_on` says so of the next one.
    pub(super) fn entries_after(
        &self,
        identity: &Identity,
        cursor: u64,
        mut goes_on: impl FnMut(&Event) -> bool,
    ) -> Result<Vec<Notification>, StoreError> {
        let mut entries = Vec::new();
        let range = (key(identity), cursor.saturating_add(1))..=(key(identity), u64::MAX);
        for row in self.mailbox.range(range).map_err(lost)? {
            let (at, entry) = row.map_err(lost)?;
            let ((_, id), (_, name, args)) = (at.value(), entry.value());
            let event = Event { name: text(identity, name)?, args: text(identity, args)? };
            if !goes_on(&event) {
                break;
            }
            entries.push(Notification { id: NotificationId::from_number(id), event: SharedEvent::new(event) });
        }
        Ok(entries)
    }

    /// How many notifications wait after `cursor`.
    pub(super) fn count_after(&self, identity: &Identity, cursor: u64) -> Result<u64, StoreError> {
        let range = (key(identity), cursor.saturating_add(1))..=(key(identity), u64::MAX);
        Ok(self.mailbox.range(range).map_err(lost)?.count() as u64)
    }

    /// Removes the oldest notification up to `upto`, and says what it cost.
    pub(super) fn remove_oldest(&mut self, identity: &Identity, upto: u64) -> Result<Option<u64>, StoreError> {
        let oldest = {
            let mut range = self.mailbox.range((key(identity), 0)..=(key(identity), upto)).map_err(lost)?;
            range.next().transpose().map_err(lost)?.map(|(at, _)| at.value().1)
        };
        match oldest {
            Some(id) => self.remove(identity, id),
            None => Ok(None),
        }
    }

    /// Removes one notification, and says what it cost.
    fn remove(&mut self, identity: &Identity, id: u64) -> Result<Option<u64>, StoreError> {
        self.changed = true;
        let entry = self.mailbox.remove((key(identity), id)).map_err(lost)?;
        Ok(entry.map(|entry| cost(entry.value())))
    }

    /// How often handlers have failed on a notification, this time counted; `None` if it is not there.
    pub(super) fn count_attempt(&mut self, identity: &Identity, id: u64) -> Result<Option<u32>, StoreError> {
        let at = (key(identity), id);
        let counted = self.mailbox.get(at).map_err(lost)?.map(|entry| {
            let (attempts, name, args) = entry.value();
            (attempts.saturating_add(1), name.to_vec(), args.to_vec())
        });
        let Some((attempts, name, args)) = counted else { return Ok(None) };
        self.changed = true;
        self.mailbox.insert(at, (attempts, name.as_slice(), args.as_slice())).map_err(lost)?;
        Ok(Some(attempts))
    }

    fn aside_cost(&self, identity: &Identity) -> Result<u64, StoreError> {
        let range = self.aside.range((key(identity), 0)..=(key(identity), u64::MAX)).map_err(lost)?;
        range.map(|row| row.map(|(_, entry)| cost(entry.value()))).sum::<Result<_, _>>().map_err(lost)
    }

    /// Moves a notification beside the mailbox, where the newest `most` are kept, and says what it cost.
    pub(super) fn set_aside(&mut self, identity: &Identity, id: u64, most: u32) -> Result<u64, StoreError> {
        self.changed = true;
        let before = self.aside_cost(identity)?;
        let at = (key(identity), id);
        if let Some(entry) = self.mailbox.get(at).map_err(lost)? {
            self.aside.insert(at, entry.value()).map_err(lost)?;
        }
        let kept: Vec<u64> = {
            let range = self.aside.range((key(identity), 0)..=(key(identity), u64::MAX)).map_err(lost)?;
            range.map(|row| row.map(|(at, _)| at.value().1)).collect::<Result<_, _>>().map_err(lost)?
        };
        for id in kept.iter().rev().skip(most as usize) {
            self.aside.remove((key(identity), *id)).map_err(lost)?;
        }
        let after = self.aside_cost(identity)?;
        self.accounts.resize(key(identity), before, after)?;
        Ok(self.remove(identity, id)?.unwrap_or(0))
    }
}

fn key(identity: &Identity) -> &[u8] {
    identity.as_str().as_bytes()
}

/// As [`Event::cost`] counts.
fn cost((_, name, args): (u32, &[u8], &[u8])) -> u64 {
    let event = Event { name: String::new(), args: String::new() };
    (event.cost() + name.len() + args.len()) as u64
}

fn text(identity: &Identity, bytes: &[u8]) -> Result<String, StoreError> {
    let wrong = |_| StoreError::Corrupt(format!("an event of {:?} is no text", identity.as_str()));
    String::from_utf8(bytes.to_vec()).map_err(wrong)
}

/// The file can not be read or written.
pub(super) fn lost(error: impl Into<redb::Error>) -> StoreError {
    StoreError::unavailable(&error.into())
}
