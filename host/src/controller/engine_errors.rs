//! What errors of wasmtime mean, where it has no type for that: the only place that knows their words. The tests provoke each of
//! them, so that they fail with the version that says it otherwise.

use wasmtime::component::ResourceTableError;
use wasmtime::{Error, Trap};

/// What a call is ended with that asks for one handle too many, or hands over too much.
const HANDLES_EXCEEDED: &str = "store handle limit exceeded";
const FUEL_EXHAUSTED: &str = "fuel allocated for hostcalls has been exhausted";

/// What linking is ended with, behind the name of the import in backticks.
const NOT_FOUND: &str = "matching implementation was not found in the linker";

/// A limit of the store that has ended a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Exceeded {
    Stack,
    Handles,
    Handover,
}

/// The limit that has ended a call, if it was one.
pub(super) fn exceeded(error: &Error) -> Option<Exceeded> {
    if matches!(error.downcast_ref(), Some(Trap::StackOverflow)) {
        return Some(Exceeded::Stack);
    }
    let cause = error.root_cause().to_string();
    if matches!(error.downcast_ref(), Some(ResourceTableError::Full)) || cause.contains(HANDLES_EXCEEDED) {
        return Some(Exceeded::Handles);
    }
    cause.contains(FUEL_EXHAUSTED).then_some(Exceeded::Handover)
}

/// Whether a guest has ended itself, and says that all is well.
pub(super) fn is_good_exit(error: &Error) -> bool {
    error.downcast_ref::<wasmtime_wasi::I32Exit>().is_some_and(|exit| exit.0 == 0)
}

/// The import that nothing fits, if that is why linking has failed.
pub(super) fn missing_import(error: &Error) -> Option<String> {
    let text = format!("{error:#}");
    let name = text.contains(NOT_FOUND).then(|| text.split('`').nth(1)).flatten();
    name.map(str::to_owned)
}

#[cfg(test)]
mod tests;
