//! `wasi:http/types`, for controllers that answer plain requests, or send some.

use wasmtime::component::Linker;
use wasmtime_wasi_http::p2::bindings::LinkOptions;
use wasmtime_wasi_http::p2::bindings::http::types;
use wasmtime_wasi_http::{WasiHttp, WasiHttpView};

use crate::controller::state::GuestState;

pub(super) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, WasiHttp>(linker, &(&LinkOptions::default()).into(), GuestState::http)
}
