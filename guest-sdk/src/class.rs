//! What the attribute macro adds to a controller: its name, its path, and its methods by name.
//!
//! The macro writes only what depends on the signatures; loops, errors and the order of things are here.

use std::cell::RefCell;

use crate::arguments::{Misfit, RawArguments};
use crate::controller::Controller;
use crate::fault::{Fault, Result};
use crate::platform;

/// A controller with its methods by name. Implemented by the [`controller`](macro@crate::controller) attribute.
pub trait Class: Controller {
    /// How `messaging::broadcast` addresses the class.
    const NAME: &'static str;
    /// The path pattern that it is mounted on; `None`: it is a service and takes no clients.
    const PATH: Option<&'static str>;
    /// Whether it has an object on each server without a client.
    const SERVICE: bool;
    /// Whether some method is for clients; if not, their messages are not looked into.
    const CLIENT_METHODS: bool;
    /// Whether there is a [`Controller::resume`]; if not, nothing can be saved.
    const RESUMES: bool;

    /// The method that is called `name`, if there is one.
    #[doc(hidden)]
    fn method(name: &str) -> Option<Method<Self>>;
}

/// A method that is called by name.
pub struct Method<C: Class> {
    pub(crate) client: bool,
    pub(crate) call: Call<C>,
}

/// Reads the arguments once, then calls the method on each receiver.
type Call<C> = fn(&RawArguments<'_>, Receivers<'_, C>) -> core::result::Result<(), Misfit>;

impl<C: Class> Method<C> {
    /// A method that other controllers call, by an event.
    pub fn event(call: Call<C>) -> Self {
        Self { client: false, call }
    }

    /// A method that clients call too, by a JSON message.
    pub fn client(call: Call<C>) -> Self {
        Self { client: true, call }
    }
}

/// One connection's object.
///
/// The host makes one call at a time and no handler is entered from within another, so the cell is never found borrowed.
pub(crate) type Object<C> = RefCell<C>;

/// The objects that one call is for.
pub struct Receivers<'a, C> {
    objects: &'a [&'a Object<C>],
    method: &'a str,
}

impl<'a, C> Receivers<'a, C> {
    pub(crate) fn new(objects: &'a [&'a Object<C>], method: &'a str) -> Self {
        Self { objects, method }
    }

    /// Calls each object with a copy of `owned`; the last one gets the original.
    pub fn each<T: Clone, R: Outcome>(self, owned: T, call: impl Fn(&mut C, T) -> R) {
        let Some((last, others)) = self.objects.split_last() else { return };
        for (index, object) in others.iter().enumerate() {
            platform::attend(index);
            report(self.method, call(&mut object.borrow_mut(), owned.clone()));
        }
        if !others.is_empty() {
            platform::attend(others.len());
        }
        report(self.method, call(&mut last.borrow_mut(), owned));
    }
}

/// What a marked method may return: nothing, or a [`Result`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not what an event method may return",
    label = "return nothing or `lakou_sdk::Result`"
)]
pub trait Outcome {
    #[doc(hidden)]
    fn into_result(self) -> Result;
}

impl Outcome for () {
    fn into_result(self) -> Result {
        Ok(())
    }
}

impl Outcome for Result {
    fn into_result(self) -> Result {
        self
    }
}

/// Writes the error of a handler to the log as one line. A client that has gone is expected, and no news.
pub(crate) fn report(method: &str, outcome: impl Outcome) {
    match outcome.into_result() {
        Ok(()) | Err(Fault::Gone) => {}
        Err(fault) => platform::log(&format!("{method}: {fault}").replace(['\r', '\n'], " ")),
    }
}
