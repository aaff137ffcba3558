//! Keys and values that outlive connections and the host: one bucket a controller, the same for all of its connections on
//! all servers. The operator grants it: `keyvalue = true` in the controller's table of `lakou.toml`.
//!
//! A key is 1 to 512 bytes of text, a value at most 256 KiB. Each call is done as a whole before or after any other, and waits
//! for the store: do not ask in a loop what a field could hold.
//!
//! ```
//! use lakou_sdk::{Result, keyvalue};
//!
//! /// How often a page was visited, this time counted.
//! fn visit(page: &str) -> Result<i64> {
//!     keyvalue::increment(&format!("visits/{page}"), 1)
//! }
//! # use lakou_sdk::{Controller, Request, Socket, controller, testing::Host};
//! # struct Page;
//! # #[controller]
//! # impl Controller for Page {
//! #     fn open(_socket: Socket, request: Request) -> Self {
//! #         assert_eq!(visit("home"), Ok(request.query_param("nth").unwrap().parse().unwrap()));
//! #         Self
//! #     }
//! # }
//! # let host = Host::new();
//! # for path in ["/page?nth=1", "/page?nth=2"] { host.connect::<Page>(path).unwrap(); }
//! ```
//!
//! # Errors
//!
//! For every function: [`Fault::Invalid`] if it is not a key, and [`Fault::Unavailable`] if the store is away; a change may
//! have been made or not then; or if the controller has asked as often in this second as it may (`store-rate`), and nothing was
//! done. A store whose disk is full still answers what only reads. What makes a bucket larger is [`Fault::Unavailable`], too, if the bucket is full, and
//! [`Fault::TooLarge`] if the value is over its limit.
//!
//! [`Fault::Invalid`]: crate::Fault::Invalid
//! [`Fault::TooLarge`]: crate::Fault::TooLarge
//! [`Fault::Unavailable`]: crate::Fault::Unavailable

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::fault::Result;
use crate::platform;

/// How many keys [`keys`] asks for at a time.
const PAGE: u32 = 256;

/// The value of a key; `None`: there is none, or it has lapsed.
///
/// # Errors
///
/// As for [all functions](self#errors).
pub fn get(key: &str) -> Result<Option<Vec<u8>>> {
    platform::keyvalue::get(key)
}

/// The value of a key, from JSON.
///
/// # Errors
///
/// [`Fault::Invalid`](crate::Fault::Invalid) if it is something else; as for [all functions](self#errors).
pub fn get_json<T: DeserializeOwned>(key: &str) -> Result<Option<T>> {
    Ok(get(key)?.map(|value| serde_json::from_slice(&value)).transpose()?)
}

/// Sets a value, in the place of what was there.
///
/// # Errors
///
/// As for [all functions](self#errors).
pub fn set(key: &str, value: impl AsRef<[u8]>) -> Result {
    platform::keyvalue::set(key, value.as_ref(), None)
}

/// As [`set`]; the value lapses after `lifetime`.
///
/// # Errors
///
/// As for [all functions](self#errors).
pub fn set_for(key: &str, value: impl AsRef<[u8]>, lifetime: Duration) -> Result {
    platform::keyvalue::set(key, value.as_ref(), Some(milliseconds(lifetime)))
}

/// As [`set`], of a value as JSON.
///
/// # Errors
///
/// [`Fault::Invalid`](crate::Fault::Invalid) if there is no JSON for it; as for [all functions](self#errors).
pub fn set_json(key: &str, value: &(impl Serialize + ?Sized)) -> Result {
    set(key, serde_json::to_vec(value)?)
}

/// Deletes a key, and says whether it was there.
///
/// # Errors
///
/// As for [all functions](self#errors).
pub fn delete(key: &str) -> Result<bool> {
    platform::keyvalue::delete(key)
}

/// Whether there is such a key.
///
/// # Errors
///
/// As for [all functions](self#errors).
pub fn exists(key: &str) -> Result<bool> {
    platform::keyvalue::exists(key)
}

/// Adds `by` to a value that is a whole number in decimal digits, and gives the sum. A key that is not there counts as 0.
///
/// # Errors
///
/// [`Fault::Invalid`](crate::Fault::Invalid) if the value is no such number, or the sum does not fit; as for
/// [all functions](self#errors).
pub fn increment(key: &str, by: i64) -> Result<i64> {
    platform::keyvalue::increment(key, by, None)
}

/// As [`increment`]; a key that was not there lapses after `lifetime`, one that was keeps its own. That makes it a count of
/// what happens in a window of time.
///
/// # Errors
///
/// As for [`increment`].
pub fn increment_for(key: &str, by: i64, lifetime: Duration) -> Result<i64> {
    platform::keyvalue::increment(key, by, Some(milliseconds(lifetime)))
}

/// If the value of a key is `expected` (`None`: if there is no such key), makes it `value` (`None`: deletes it), and says
/// whether it was. `false` is somebody who was faster: read again, and try again.
///
/// # Errors
///
/// As for [all functions](self#errors).
pub fn compare_and_swap(key: &str, expected: Option<&[u8]>, value: Option<&[u8]>) -> Result<bool> {
    platform::keyvalue::compare_and_swap(key, expected, value, None)
}

/// As [`compare_and_swap`]; the new value lapses after `lifetime`. With nothing expected, a lock that its owner can not forget.
///
/// # Errors
///
/// As for [all functions](self#errors).
pub fn compare_and_swap_for(
    key: &str,
    expected: Option<&[u8]>,
    value: Option<&[u8]>,
    lifetime: Duration,
) -> Result<bool> {
    platform::keyvalue::compare_and_swap(key, expected, value, Some(milliseconds(lifetime)))
}

/// Some keys, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// The keys.
    pub keys: Vec<String>,
    /// What to give as `after` to go on; `None`: this was the end.
    pub next: Option<String>,
}

/// Keys that begin with `prefix` (empty: all), in the order of their bytes, behind `after` if there is one: at most `most`,
/// and never more than 1000.
///
/// # Errors
///
/// As for [all functions](self#errors).
pub fn list(prefix: &str, after: Option<&str>, most: u32) -> Result<Page> {
    let (keys, next) = platform::keyvalue::list(prefix, after, most)?;
    Ok(Page { keys, next })
}

/// All keys that begin with `prefix`, in order, fetched page by page. After an error there are no more.
pub fn keys(prefix: &str) -> impl Iterator<Item = Result<String>> {
    let prefix = prefix.to_owned();
    let (mut page, mut next, mut begun) = (Vec::new().into_iter(), None, false);
    std::iter::from_fn(move || {
        loop {
            if let Some(key) = page.next() {
                return Some(Ok(key));
            }
            if begun && next.is_none() {
                return None;
            }
            begun = true;
            match list(&prefix, next.take().as_deref(), PAGE) {
                Ok(found) => (page, next) = (found.keys.into_iter(), found.next),
                Err(fault) => return Some(Err(fault)),
            }
        }
    })
}

fn milliseconds(lifetime: Duration) -> u64 {
    u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX)
}
