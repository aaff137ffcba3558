//! The contract of `wit/` as Rust types: what the host implements and what it calls.
#![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated from wit/, where everything is documented")]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "granted-world",
    imports: {
        // These wait for the store.
        "lakou:controller/sockets.[method]socket.register-as": async | trappable,
        "lakou:controller/sockets.[method]socket.unregister": async | trappable,
        "lakou:controller/messaging.notify": async | trappable,
        "lakou:controller/messaging.registered": async | trappable,
        // This one waits for a server elsewhere.
        "lakou:controller/client.connect": async | trappable,
        "lakou:controller/keyvalue": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    // Calls lower `&str` and slices as they lie in the host's memory; nothing is copied twice on the way in.
    ownership: Borrowing { duplicate_if_necessary: true },
    with: {
        "lakou:controller/sockets.socket": super::imports::sockets::Socket,
        "lakou:controller/sockets.timer": super::imports::timers::Timer,
    },
});
