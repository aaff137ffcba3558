//! `wasi:http/types`, for controllers that answer plain requests, or send some.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::p2::bindings::LinkOptions;
use wasmtime_wasi_http::p2::bindings::http::types::{self, HostOutgoingRequest as _, Method, OutgoingRequest};
use wasmtime_wasi_http::{WasiHttp, WasiHttpView};

use crate::controller::state::GuestState;

/// The longest method that a guest may make up: a request is kept by the host, and everything else in it has a bound.
const METHOD_BYTES: usize = 64;

pub(super) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, WasiHttp>(linker, &(&LinkOptions::default()).into(), GuestState::http)?;
    linker.allow_shadowing(true);
    linker.instance("wasi:http/types@0.2.12")?.func_wrap("[method]outgoing-request.set-method", set_method)?;
    linker.allow_shadowing(false);
    Ok(())
}

fn set_method(
    mut store: StoreContextMut<'_, GuestState>,
    (request, method): (Resource<OutgoingRequest>, Method),
) -> wasmtime::Result<(Result<(), ()>,)> {
    if matches!(&method, Method::Other(name) if name.len() > METHOD_BYTES) {
        return Ok((Err(()),));
    }
    Ok((store.data_mut().http().set_method(request, method)?,))
}
