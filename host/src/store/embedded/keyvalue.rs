//! Keys and values in the file: rows, what each bucket holds in bytes, and when values lapse. All of it is done by the
//! writer, in its transactions, as what identities ask is.

use futures_util::FutureExt;
use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};

use super::Embedded;
use super::ledger::lost;
use super::rules::{Books, millis};
use crate::store::keyvalue::{self, Bucket, Key, KeyValue, LOOK, Lifetime, Listing};
use crate::store::{Answer, StoreError};

type At = (&'static [u8], &'static [u8]);

/// How many times, at most, a call removes what has lapsed for want of room.
const PURGES: u32 = 20;

// Texts are stored as bytes, as in the ledger.
/// By bucket and key: when it lapses, in milliseconds since 1970 (0: never), and the value.
const VALUES: TableDefinition<At, (u64, &[u8])> = TableDefinition::new("values");
/// How many bytes a bucket holds.
const SIZES: TableDefinition<&[u8], u64> = TableDefinition::new("values-sizes");
/// What lapses, by when: bucket and key.
const LAPSING: TableDefinition<(u64, &'static [u8], &'static [u8]), ()> = TableDefinition::new("values-lapsing");

/// A bucket's name and a key, as rows have them.
type Place<'k> = (&'k [u8], &'k [u8]);

/// The tables, open for one operation.
pub(super) struct Shelves<'t> {
    values: Table<'t, At, (u64, &'static [u8])>,
    sizes: Table<'t, &'static [u8], u64>,
    lapsing: Table<'t, (u64, &'static [u8], &'static [u8]), ()>,
    changed: bool,
}

impl<'t> Shelves<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, StoreError> {
        Ok(Shelves {
            values: transaction.open_table(VALUES).map_err(lost)?,
            sizes: transaction.open_table(SIZES).map_err(lost)?,
            lapsing: transaction.open_table(LAPSING).map_err(lost)?,
            changed: false,
        })
    }

    /// The value and when it lapses; none if it has.
    fn find(&self, (bucket, key): Place<'_>) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let row = self.values.get((bucket, key)).map_err(lost)?;
        let living = |(lapses_at, value): (u64, &[u8])| (!has_lapsed(lapses_at)).then(|| (lapses_at, value.to_vec()));
        Ok(row.and_then(|row| living(row.value())))
    }

    /// Removes a key, and says whether it was there and had not lapsed.
    fn remove(&mut self, (bucket, key): Place<'_>) -> Result<bool, StoreError> {
        let removed = {
            let row = self.values.remove((bucket, key)).map_err(lost)?;
            row.map(|row| (row.value().0, row.value().1.len()))
        };
        let Some((lapses_at, length)) = removed else { return Ok(false) };
        self.changed = true;
        if lapses_at > 0 {
            self.lapsing.remove((lapses_at, bucket, key)).map_err(lost)?;
        }
        let size = self.size(bucket)?.saturating_sub(cost(key.len(), length));
        self.sizes.insert(bucket, size).map_err(lost)?;
        Ok(!has_lapsed(lapses_at))
    }

    /// Sets a value if there is room for it.
    fn put(
        &mut self,
        (bucket, key): Place<'_>,
        value: &[u8],
        lapses_at: u64,
        limit: u64,
    ) -> Result<Result<(), StoreError>, StoreError> {
        let cost_now = cost(key.len(), value.len());
        let mut rounds = 0;
        loop {
            let held = self.values.get((bucket, key)).map_err(lost)?.map(|row| cost(key.len(), row.value().1.len()));
            let others = self.size(bucket)?.saturating_sub(held.unwrap_or(0));
            if others.saturating_add(cost_now) <= limit {
                break;
            }
            // What has lapsed takes no room; but nobody waits for the sweep of all that others have left.
            rounds += 1;
            if rounds > PURGES || !self.purge()? {
                return Ok(Err(StoreError::Full(limit)));
            }
        }
        self.remove((bucket, key))?;
        self.changed = true;
        self.values.insert((bucket, key), (lapses_at, value)).map_err(lost)?;
        if lapses_at > 0 {
            self.lapsing.insert((lapses_at, bucket, key), ()).map_err(lost)?;
        }
        let size = self.size(bucket)?.saturating_add(cost_now);
        self.sizes.insert(bucket, size).map_err(lost)?;
        Ok(Ok(()))
    }

    fn size(&self, bucket: &[u8]) -> Result<u64, StoreError> {
        Ok(self.sizes.get(bucket).map_err(lost)?.map_or(0, |row| row.value()))
    }

    /// Removes some of what has lapsed, and says whether there was something.
    fn purge(&mut self) -> Result<bool, StoreError> {
        let none: &[u8] = &[];
        let mut lapsed: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        // All that lapses in this millisecond, too: names come behind the time.
        for row in self.lapsing.range(..(millis() + 1, none, none)).map_err(lost)?.take(keyvalue::PURGE) {
            let (at, _) = row.map_err(lost)?;
            let (_, bucket, key) = at.value();
            lapsed.push((bucket.to_vec(), key.to_vec()));
        }
        for (bucket, key) in &lapsed {
            self.remove((bucket, key))?;
        }
        Ok(!lapsed.is_empty())
    }

    fn list(&self, bucket: &[u8], prefix: &[u8], after: Option<&[u8]>, most: usize) -> Result<Listing, StoreError> {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        let from = match after {
            Some(after) if after >= prefix => Excluded((bucket, after)),
            _ => Included((bucket, prefix)),
        };
        let mut listing = Listing::default();
        for (looked, row) in self.values.range::<Place<'_>>((from, Unbounded)).map_err(lost)?.take(LOOK).enumerate() {
            let (at, value) = row.map_err(lost)?;
            let (owner, key) = at.value();
            if listing.keys.len() >= most || owner != bucket || !key.starts_with(prefix) {
                break;
            }
            let key = String::from_utf8(key.to_vec());
            let key = key.map_err(|_| StoreError::Corrupt("a key is no text".into()))?;
            if !has_lapsed(value.value().0) {
                listing.keys.push(key.clone());
            }
            if listing.keys.len() == most || looked + 1 == LOOK {
                listing.next = Some(key);
            }
        }
        Ok(listing)
    }
}

impl Books<'_> {
    /// Works with the tables of keys and values.
    fn shelves<T>(&mut self, work: impl FnOnce(&mut Shelves<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut shelves = Shelves::open(self.transaction)?;
        let value = work(&mut shelves)?;
        self.ledger.changed |= shelves.changed;
        Ok(value)
    }

    /// Removes some of the values that have lapsed.
    pub(super) fn purge(&mut self) -> Result<(), StoreError> {
        self.shelves(|shelves| shelves.purge().map(drop))
    }
}

impl Embedded {
    /// As `ask`. What the work refuses is an answer as well: a failed transaction would be tried again with every other
    /// question of its batch apart.
    fn ask_shelves<'a, T: Send + 'static>(
        &'a self,
        work: impl Fn(&mut Shelves<'_>) -> Result<Result<T, StoreError>, StoreError> + Send + 'static,
    ) -> Answer<'a, T> {
        async move { self.ask(move |books| books.shelves(&work)).await? }.boxed()
    }

    /// As `look`.
    fn look_at_shelves<'a, T: Send + 'static>(
        &'a self,
        work: impl Fn(&mut Shelves<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<'a, T> {
        self.look(move |books| books.shelves(&work))
    }
}

impl KeyValue for Embedded {
    fn get<'a>(&'a self, bucket: &'a Bucket, key: &'a Key) -> Answer<'a, Option<Vec<u8>>> {
        let at = Owned::new(bucket, key);
        self.look_at_shelves(move |shelves| Ok(shelves.find(at.place())?.map(|(_, value)| value)))
    }

    fn set<'a>(&'a self, bucket: &'a Bucket, key: &'a Key, value: Vec<u8>, lifetime: Lifetime) -> Answer<'a, ()> {
        let (at, limit) = (Owned::new(bucket, key), bucket.limit);
        self.ask_shelves(move |shelves| shelves.put(at.place(), &value, end(lifetime), limit))
    }

    fn delete<'a>(&'a self, bucket: &'a Bucket, key: &'a Key) -> Answer<'a, bool> {
        let at = Owned::new(bucket, key);
        self.ask_shelves(move |shelves| Ok(Ok(shelves.remove(at.place())?)))
    }

    fn exists<'a>(&'a self, bucket: &'a Bucket, key: &'a Key) -> Answer<'a, bool> {
        let at = Owned::new(bucket, key);
        self.look_at_shelves(move |shelves| Ok(shelves.find(at.place())?.is_some()))
    }

    fn increment<'a>(&'a self, bucket: &'a Bucket, key: &'a Key, by: i64, lifetime: Lifetime) -> Answer<'a, i64> {
        let (at, limit) = (Owned::new(bucket, key), bucket.limit);
        self.ask_shelves(move |shelves| {
            let (lapses_at, number, length) = match shelves.find(at.place())? {
                Some((lapses_at, value)) => (lapses_at, number(&value), value.len()),
                None => (end(lifetime), Some(0), 0),
            };
            let Some(number) = number else { return Ok(Err(keyvalue::no_number())) };
            let Some(sum) = number.checked_add(by) else { return Ok(Err(keyvalue::too_large_a_sum())) };
            let text = sum.to_string();
            // What grows nothing needs no room, even if the limit was lowered since.
            let limit = if text.len() > length { limit } else { u64::MAX };
            Ok(shelves.put(at.place(), text.as_bytes(), lapses_at, limit)?.map(|()| sum))
        })
    }

    fn swap<'a>(
        &'a self,
        bucket: &'a Bucket,
        key: &'a Key,
        expected: Option<Vec<u8>>,
        value: Option<Vec<u8>>,
        lifetime: Lifetime,
    ) -> Answer<'a, bool> {
        let (at, limit) = (Owned::new(bucket, key), bucket.limit);
        self.ask_shelves(move |shelves| {
            let found = shelves.find(at.place())?.map(|(_, value)| value);
            if found != expected {
                return Ok(Ok(false));
            }
            match &value {
                Some(value) => Ok(shelves.put(at.place(), value, end(lifetime), limit)?.map(|()| true)),
                None => shelves.remove(at.place()).map(|_| Ok(true)),
            }
        })
    }

    fn list<'a>(
        &'a self,
        bucket: &'a Bucket,
        prefix: &'a str,
        after: Option<&'a str>,
        most: usize,
    ) -> Answer<'a, Listing> {
        let (name, prefix, after) = (bucket.name.clone(), prefix.to_owned(), after.map(str::to_owned));
        self.look_at_shelves(move |shelves| {
            let after = after.as_deref().map(str::as_bytes);
            shelves.list(name.as_bytes(), prefix.as_bytes(), after, most)
        })
    }
}

/// A bucket's name and a key, for the writer's thread.
struct Owned {
    bucket: std::sync::Arc<str>,
    key: String,
}

impl Owned {
    fn new(bucket: &Bucket, key: &Key) -> Self {
        Owned { bucket: bucket.name.clone(), key: key.as_str().to_owned() }
    }

    fn place(&self) -> Place<'_> {
        (self.bucket.as_bytes(), self.key.as_bytes())
    }
}

fn has_lapsed(lapses_at: u64) -> bool {
    lapses_at > 0 && lapses_at <= millis()
}

fn end(lifetime: Lifetime) -> u64 {
    lifetime.millis().map_or(0, |lifetime| millis().saturating_add(lifetime))
}

fn cost(key: usize, value: usize) -> u64 {
    (key + value) as u64 + keyvalue::ENTRY_COST
}

/// In one spelling only, as Redis has it.
fn number(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?;
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
