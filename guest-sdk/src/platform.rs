//! Where the SDK's calls go: to the real host when compiled to WebAssembly, to the fake one of
//! [`testing`](crate::testing) elsewhere. Both sides offer the same names; everything above is the same code.

#[cfg(target_family = "wasm")]
mod wasm;
#[cfg(target_family = "wasm")]
pub(crate) use wasm::*;

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(not(target_family = "wasm"))]
pub(crate) use native::*;

// Compiled for its tests, too: the fake host knows by itself when a timer has ended.
#[cfg(any(target_family = "wasm", test))]
mod detached;

/// Where a call that did not fit a method came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(unreachable_pub, reason = "the fake host shows it, the real one does not")]
pub enum Origin {
    /// A client's JSON message.
    Client,
    /// An event emitted by a controller, or a notification.
    Event,
}
