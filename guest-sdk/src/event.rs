//! Events: a name and a JSON array of arguments, as the sender makes them and as a receiver may look at them.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::fault::{Fault, Result};

/// Calls the method `name` of whoever receives it.
///
/// Where sender and receiver are in one crate, make events by the constructors that the
/// [`controller`](macro@crate::controller) attribute generates: there, a wrong argument does not compile. Where they are
/// not, [`Event::new`] makes one by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    name: Cow<'static, str>,
    /// The JSON array, or why there is none: the emitting call says so, which keeps constructors free of errors.
    args: core::result::Result<Cow<'static, str>, String>,
}

impl Event {
    /// An event by its name, with a tuple of as many arguments as the method has parameters.
    ///
    /// ```
    /// # use lakou_sdk::Event;
    /// let event = Event::new("joined", ("bob", 3));
    /// assert_eq!(event.args(), r#"["bob",3]"#);
    /// assert_eq!(Event::new("left", ("bob",)).args(), r#"["bob"]"#);
    /// assert_eq!(Event::new("closing_time", ()).args(), "[]");
    /// ```
    ///
    /// Arguments that JSON cannot hold (a map whose keys are not strings) make an event that every emitting call
    /// refuses with [`Fault::Invalid`].
    pub fn new(name: impl Into<Cow<'static, str>>, args: impl Arguments) -> Self {
        Self { name: name.into(), args: args.to_json() }
    }

    /// An event whose arguments are at hand as the text of a JSON array; nobody looks inside before the receiver does.
    pub fn from_json(name: impl Into<Cow<'static, str>>, args: impl Into<String>) -> Self {
        Self { name: name.into(), args: Ok(Cow::Owned(args.into())) }
    }

    /// The name of the method that the event calls.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The arguments, as the text of a JSON array; empty if JSON cannot hold them.
    pub fn args(&self) -> &str {
        self.args.as_deref().unwrap_or_default()
    }

    /// Reads the arguments as a tuple, as in `event.parse::<(String, u32)>()`.
    ///
    /// # Errors
    ///
    /// [`Fault::Invalid`] if the arguments are no such tuple.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        Ok(serde_json::from_str(self.checked_args()?)?)
    }

    /// The arguments, or the fault that emitting this event is.
    pub(crate) fn checked_args(&self) -> Result<&str> {
        match &self.args {
            Ok(args) => Ok(args),
            Err(reason) => Err(Fault::Invalid(format!("the arguments of `{}`: {reason}", self.name))),
        }
    }
}

/// What an event carries: a tuple of up to twelve values that serde can serialize.
pub trait Arguments: sealed::Sealed {
    #[doc(hidden)]
    fn to_json(&self) -> core::result::Result<Cow<'static, str>, String>;
}

mod sealed {
    pub trait Sealed {}
}

impl sealed::Sealed for () {}

impl Arguments for () {
    fn to_json(&self) -> core::result::Result<Cow<'static, str>, String> {
        // serde_json writes `null` for an empty tuple; no arguments are an empty array.
        Ok(Cow::Borrowed("[]"))
    }
}

macro_rules! tuples {
    ($first:ident $($rest:ident)*) => {
        impl<$first: Serialize, $($rest: Serialize),*> sealed::Sealed for ($first, $($rest,)*) {}
        impl<$first: Serialize, $($rest: Serialize),*> Arguments for ($first, $($rest,)*) {
            fn to_json(&self) -> core::result::Result<Cow<'static, str>, String> {
                serde_json::to_string(self).map(Cow::Owned).map_err(|error| error.to_string())
            }
        }
        tuples!($($rest)*);
    };
    () => {};
}

tuples!(A B C D E F G H I J K L);
