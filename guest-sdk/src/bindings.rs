//! What wit-bindgen makes of the contract in `wit/`; nothing else is in here, and nothing outside of `platform/wasm.rs`
//! and `component.rs` knows its types.

#![allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::undocumented_unsafe_blocks,
    clippy::allow_attributes_without_reason,
    clippy::cast_possible_truncation,
    reason = "generated code"
)]

wit_bindgen::generate!({
    world: "granted-world",
    path: "wit",
    generate_all,
    // What is sent is only looked at: borrowed text and bytes go to the host without a copy in the guest.
    ownership: Borrowing { duplicate_if_necessary: true },
    pub_export_macro: true,
    export_macro_name: "export_controller",
    default_bindings_module: "::lakou_sdk::expansion::bindings",
});
