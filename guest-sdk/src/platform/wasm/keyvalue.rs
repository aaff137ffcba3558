//! The controller's bucket in the real host.

use super::fault;
use crate::bindings::lakou::controller::keyvalue as wit;
use crate::fault::Result;

pub(crate) fn get(key: &str) -> Result<Option<Vec<u8>>> {
    wit::get(key).map_err(fault)
}

pub(crate) fn set(key: &str, value: &[u8], lifetime: Option<u64>) -> Result {
    wit::set(key, value, lifetime).map_err(fault)
}

pub(crate) fn delete(key: &str) -> Result<bool> {
    wit::delete(key).map_err(fault)
}

pub(crate) fn exists(key: &str) -> Result<bool> {
    wit::exists(key).map_err(fault)
}

pub(crate) fn increment(key: &str, by: i64, lifetime: Option<u64>) -> Result<i64> {
    wit::increment(key, by, lifetime).map_err(fault)
}

pub(crate) fn compare_and_swap(
    key: &str,
    expected: Option<&[u8]>,
    value: Option<&[u8]>,
    lifetime: Option<u64>,
) -> Result<bool> {
    wit::compare_and_swap(key, expected, value, lifetime).map_err(fault)
}

pub(crate) fn list(prefix: &str, after: Option<&str>, most: u32) -> Result<(Vec<String>, Option<String>)> {
    wit::list(prefix, after, most).map(|page| (page.keys, page.next)).map_err(fault)
}
