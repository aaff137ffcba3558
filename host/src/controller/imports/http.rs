//! `wasi:http/types`, for controllers that answer plain requests, or send some.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::p2::bindings::LinkOptions;
use wasmtime_wasi_http::p2::bindings::http::types::{
    self, ErrorCode, HostOutgoingBody, HostOutgoingRequest as _, HostOutgoingResponse, HostResponseOutparam, Method,
    OutgoingBody, OutgoingRequest, OutgoingResponse, ResponseOutparam, Trailers,
};
use wasmtime_wasi_http::{WasiHttp, WasiHttpView};

use crate::controller::state::GuestState;

/// The longest method that a guest may make up: a request is kept by the host, and everything else in it has a bound.
const METHOD_BYTES: usize = 64;

pub(super) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, WasiHttp>(linker, &(&LinkOptions::default()).into(), GuestState::http)?;
    linker.allow_shadowing(true);
    let mut types = linker.instance("wasi:http/types@0.2.12")?;
    types.func_wrap("[method]outgoing-request.set-method", set_method)?;
    types.func_wrap("[method]outgoing-response.body", take_body)?;
    types.func_wrap("[static]outgoing-body.finish", finish_body)?;
    types.func_wrap("[static]response-outparam.set", set_answer)?;
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

fn take_body(
    mut store: StoreContextMut<'_, GuestState>,
    (response,): (Resource<OutgoingResponse>,),
) -> wasmtime::Result<(Result<Resource<OutgoingBody>, ()>,)> {
    let (state, number) = (store.data_mut(), response.rep());
    let body = HostOutgoingResponse::body(&mut state.http(), response)?;
    if let Ok(body) = &body {
        state.progress.took(number, body.rep());
    }
    Ok((body,))
}

/// A body that does not go out may be shorter than the head says: the library, which does not know of that, would call it an
/// error.
fn finish_body(
    mut store: StoreContextMut<'_, GuestState>,
    (body, trailers): (Resource<OutgoingBody>, Option<Resource<Trailers>>),
) -> wasmtime::Result<(Result<(), ErrorCode>,)> {
    let (state, number) = (store.data_mut(), body.rep());
    let response = state.progress.response_of(number).map(Resource::<OutgoingResponse>::new_borrow);
    let status = response.and_then(|response| state.table.get(&response).ok()).map(|response| response.status);
    let finished = match HostOutgoingBody::finish(&mut state.http(), body, trailers) {
        Ok(()) => Ok(()),
        Err(error) => match error.downcast()? {
            ErrorCode::HttpResponseBodySize(Some(0)) if state.progress.has_no_content(number, status) => Ok(()),
            code => Err(code),
        },
    };
    if finished.is_ok() {
        state.progress.finishes(number);
    }
    Ok((finished,))
}

fn set_answer(
    mut store: StoreContextMut<'_, GuestState>,
    (answer, response): (Resource<ResponseOutparam>, Result<Resource<OutgoingResponse>, ErrorCode>),
) -> wasmtime::Result<()> {
    let state = store.data_mut();
    if let Ok(response) = &response {
        state.progress.sends(response.rep(), state.table.get(response)?.status);
    }
    HostResponseOutparam::set(&mut state.http(), answer, response)
}
