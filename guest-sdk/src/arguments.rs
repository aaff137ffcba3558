//! The arguments of one call, from JSON: by position as an event carries them, by name as a client's message does.
//!
//! Each argument stays a slice of the text until the method's own type reads it; what does not fit becomes a
//! [`Misfit`], never a panic.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde_json::value::RawValue;

use absent::Absent;

mod absent;

/// The arguments of one call, not yet read.
pub enum RawArguments<'a> {
    /// The items of an event's array.
    Positional(Vec<&'a RawValue>),
    /// The members of a client's object, `event` left out.
    Named(Vec<(Cow<'a, str>, &'a RawValue)>),
}

/// Why a call does not fit a method, in words for whoever wrote the other end.
#[derive(Debug, PartialEq, Eq)]
pub struct Misfit(pub(crate) String);

impl<'a> RawArguments<'a> {
    /// Reads the arguments of an event: a JSON array.
    pub(crate) fn of_event(args: &'a str) -> Result<Self, Misfit> {
        match serde_json::from_str(args) {
            Ok(items) => Ok(Self::Positional(items)),
            Err(error) => Err(Misfit(format!("the arguments are not a JSON array: {error}"))),
        }
    }

    /// The argument at `index`, or the one called `name`. If it is absent, `T` may be one that needs no value.
    pub fn read<T: DeserializeOwned>(&self, index: usize, name: &str) -> Result<T, Misfit> {
        let raw = match self {
            Self::Positional(items) => items.get(index).copied(),
            // The last of two members with one name counts, as it does in JavaScript.
            Self::Named(members) => members.iter().rev().find(|(key, _)| key == name).map(|(_, raw)| *raw),
        };
        match raw {
            Some(raw) => serde_json::from_str(raw.get()).map_err(|error| Misfit(format!("argument `{name}`: {error}"))),
            None => T::deserialize(Absent).map_err(|_| Misfit(format!("argument `{name}` is missing"))),
        }
    }

    /// To be called with the number of the method's parameters: more items than that do not fit; more members do.
    pub fn end(&self, parameters: usize) -> Result<(), Misfit> {
        match self {
            Self::Positional(items) if items.len() > parameters => {
                Err(Misfit(format!("{} arguments where the method takes {parameters}", items.len())))
            }
            _ => Ok(()),
        }
    }
}

/// A client's call: a JSON object with a string member `event`.
pub(crate) struct ClientCall<'a> {
    pub(crate) event: Cow<'a, str>,
    pub(crate) arguments: RawArguments<'a>,
}

impl<'a> ClientCall<'a> {
    /// The call that `text` is; `None` if it is any other message.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        // Most texts that are no calls are told apart by their first character.
        if !text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
            return None;
        }
        let Members { event, others } = serde_json::from_str(text).ok()?;
        let Text(event) = serde_json::from_str(event?.get()).ok()?;
        Some(Self { event, arguments: RawArguments::Named(others) })
    }
}

/// A JSON object, split into the member `event` and the others.
struct Members<'a> {
    event: Option<&'a RawValue>,
    others: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Members { event: None, others: Vec::new() };
                while let Some((Text(name), value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    if name == "event" {
                        members.event = Some(value);
                    } else {
                        members.others.push((name, value));
                    }
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

/// A JSON string, borrowed from the text where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests;
