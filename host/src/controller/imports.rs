//! What a guest may call: one file an interface of `wit/`, and the part of WASI that is linked.

use wasmtime::Engine;
use wasmtime::component::Linker;

use super::grants::Granted;
use super::state::GuestState;

mod client;
mod config;
mod diagnostics;
mod emitting;
mod http;
mod keyvalue;
mod logging;
mod messaging;
mod network;
pub(super) mod outgoing;
pub(super) mod sockets;
pub(super) mod timers;
mod wasi;

/// What every component may import; `outgoing` and `network` judge each call. What is neither in here nor granted makes it fail at load, with the name of the import.
pub(super) fn linker(engine: &Engine) -> wasmtime::Result<Linker<GuestState>> {
    let mut linker = Linker::new(engine);
    wasi::add_to_linker(&mut linker)?;
    network::add_to_linker(&mut linker)?;
    http::add_to_linker(&mut linker)?;
    outgoing::add_to_linker(&mut linker)?;
    sockets::add_to_linker(&mut linker)?;
    messaging::add_to_linker(&mut linker)?;
    diagnostics::add_to_linker(&mut linker)?;
    config::add_to_linker(&mut linker)?;
    logging::add_to_linker(&mut linker)?;
    Ok(linker)
}

/// What one controller may import beside that.
pub(super) fn add_granted(linker: &mut Linker<GuestState>, granted: &Granted) -> wasmtime::Result<()> {
    if granted.keyvalue {
        keyvalue::add_to_linker(linker)?;
    }
    if granted.websocket.is_some() {
        client::add_to_linker(linker)?;
    }
    Ok(())
}

/// What a table `[controller.NAME]` has to say for an import to be there.
pub(super) fn grant_for(import: &str) -> Option<&'static str> {
    match import.split('@').next().unwrap_or_default() {
        "lakou:controller/client" => {
            Some("websocket = [\"wss://feed.example.org\"], the servers that it may connect to,")
        }
        "lakou:controller/keyvalue" => Some("keyvalue = true"),
        _ => None,
    }
}
