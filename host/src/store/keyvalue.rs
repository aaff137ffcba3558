//! Keys and values: a bucket a controller. Each operation happens as a whole before or after any other, on whatever server.
//! The embedded store has them in the file of the identities, Redis beside the identities' keys.

use std::sync::Arc;

use super::{Answer, StoreError};

/// The longest value, in bytes: what has to be larger is no state but a file.
pub(crate) const VALUE_LIMIT: usize = 256 * 1024;

/// The most keys that one call lists, so that no call holds up the store.
pub(crate) const LIST_LIMIT: usize = 1000;

/// How many keys one call looks at for them, those that have lapsed included, give or take a page.
pub(super) const LOOK: usize = 5000;

/// What a key costs beside its own bytes and those of its value.
pub(super) const ENTRY_COST: u64 = 64;

/// Values that have lapsed and are removed at a time.
pub(super) const PURGE: usize = 100;

/// The longest lifetime, in milliseconds: far beyond use, and no sum of times overflows.
const LONGEST: u64 = 10 * 365 * 24 * 60 * 60 * 1000;

/// Some keys of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) keys: Vec<String>,
    /// Behind which key to go on; none: this was the end.
    pub(crate) next: Option<String>,
}

/// Buckets of keys and values.
///
/// A value that has lapsed is as if it had never been. A value that would make a bucket larger than it may be is
/// [`StoreError::Full`], and nothing is changed.
pub(crate) trait KeyValue: Send + Sync {
    fn get<'a>(&'a self, bucket: &'a Bucket, key: &'a Key) -> Answer<'a, Option<Vec<u8>>>;

    fn set<'a>(&'a self, bucket: &'a Bucket, key: &'a Key, value: Vec<u8>, lifetime: Lifetime) -> Answer<'a, ()>;

    /// Whether it was there.
    fn delete<'a>(&'a self, bucket: &'a Bucket, key: &'a Key) -> Answer<'a, bool>;

    fn exists<'a>(&'a self, bucket: &'a Bucket, key: &'a Key) -> Answer<'a, bool>;

    /// Adds to a number in decimal digits, as it would be written here; the sum. What is none, or a sum that is too large, is
    /// [`StoreError::Invalid`]. Only a key that was not there gets the lifetime.
    fn increment<'a>(&'a self, bucket: &'a Bucket, key: &'a Key, by: i64, lifetime: Lifetime) -> Answer<'a, i64>;

    /// Whether what is there was expected, and was changed. None is a key that is not there.
    fn swap<'a>(
        &'a self,
        bucket: &'a Bucket,
        key: &'a Key,
        expected: Option<Vec<u8>>,
        value: Option<Vec<u8>>,
        lifetime: Lifetime,
    ) -> Answer<'a, bool>;

    /// Keys in the order of their bytes: up to `most` that begin with `prefix` and come after `after`; fewer if so many
    /// others have lapsed that looking takes too long.
    fn list<'a>(
        &'a self,
        bucket: &'a Bucket,
        prefix: &'a str,
        after: Option<&'a str>,
        most: usize,
    ) -> Answer<'a, Listing>;
}

/// One controller's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// The controller's name.
    pub(crate) name: Arc<str>,
    /// How many bytes it may hold, keys and their costs included.
    pub(crate) limit: u64,
}

/// A valid key: 1 to 512 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key(String);

impl Key {
    pub(crate) const LIMIT: usize = 512;

    /// Checks a guest's text.
    pub(crate) fn new(text: String) -> Result<Self, String> {
        match text.len() {
            1..=Key::LIMIT => Ok(Key(text)),
            length => Err(format!("a key has 1 to {} bytes, not {length}", Key::LIMIT)),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// How long a value stays; none: until it is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lifetime(Option<u64>);

impl Lifetime {
    /// Until it is deleted.
    #[cfg(test)]
    pub(crate) const EVER: Self = Lifetime(None);

    /// In milliseconds: at least one.
    pub(crate) fn new(milliseconds: Option<u64>) -> Self {
        Lifetime(milliseconds.map(|milliseconds| milliseconds.clamp(1, LONGEST)))
    }

    pub(super) fn millis(self) -> Option<u64> {
        self.0
    }
}

/// What `increment` says of a value that it can not add to.
pub(super) fn no_number() -> StoreError {
    StoreError::Invalid("the value is no whole number from -2^63 to 2^63-1 in decimal digits".into())
}

pub(super) fn too_large_a_sum() -> StoreError {
    StoreError::Invalid("the sum is not from -2^63 to 2^63-1".into())
}
