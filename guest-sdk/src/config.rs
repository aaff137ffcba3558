//! What the operator has written for this controller: the table `[controller.NAME.config]` of `lakou.toml`. Values may be
//! read from variables and files there (`token = "env:TOKEN"`); here they are texts, and stay as they are for as long as the
//! host runs.

use std::fmt::Display;
use std::str::FromStr;

use crate::fault::{Fault, Result};
use crate::platform;

/// The value of a key; `None`: the operator has not written any.
pub fn get(key: &str) -> Option<String> {
    platform::config::get(key)
}

/// The value of a key as a number, a boolean or whatever else can be made of a text; `None` as for [`get`].
///
/// ```
/// # use lakou_sdk::{Result, config};
/// fn longest_name() -> Result<usize> {
///     Ok(config::parse("longest-name")?.unwrap_or(24))
/// }
/// ```
///
/// # Errors
///
/// [`Fault::Invalid`]: the operator has written something else.
pub fn parse<T: FromStr<Err: Display>>(key: &str) -> Result<Option<T>> {
    let wrong = |wrong| Fault::Invalid(format!("the configuration of `{key}`: {wrong}"));
    get(key).map(|value| value.trim().parse().map_err(wrong)).transpose()
}

/// All keys with their values, in the order of the keys.
pub fn all() -> Vec<(String, String)> {
    platform::config::all()
}
