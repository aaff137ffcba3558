//! What a guest may call: one file an interface of `wit/`, and the part of WASI that is linked.

use wasmtime::Engine;
use wasmtime::component::Linker;

use super::state::GuestState;

mod diagnostics;
mod emitting;
pub(super) mod http;
mod messaging;
pub(super) mod sockets;
pub(super) mod timers;
mod wasi;

/// Everything that a component may import. What is not in here makes it fail at load, with the name of the import.
pub(super) fn linker(engine: &Engine) -> wasmtime::Result<Linker<GuestState>> {
    let mut linker = Linker::new(engine);
    wasi::add_to_linker(&mut linker)?;
    http::add_to_linker(&mut linker)?;
    sockets::add_to_linker(&mut linker)?;
    messaging::add_to_linker(&mut linker)?;
    diagnostics::add_to_linker(&mut linker)?;
    Ok(linker)
}
