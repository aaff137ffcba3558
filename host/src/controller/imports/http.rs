//! `wasi:http/types`, for controllers that answer plain requests. `outgoing-handler` is not linked: a component that wants
//! to call out fails at load.

use wasmtime::component::Linker;
use wasmtime_wasi_http::p2::bindings::LinkOptions;
use wasmtime_wasi_http::p2::bindings::http::types;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttp, WasiHttpHooks, WasiHttpView};

use crate::controller::state::GuestState;

pub(super) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, WasiHttp>(linker, &(&LinkOptions::default()).into(), GuestState::http)
}

/// How much of an answer's body the host buffers for a guest before the guest has to wait for the client, once for the
/// chunk that is on its way and once for the next.
const CHUNK: usize = 64 * 1024;

/// Hooks of a guest that sends no requests of its own.
pub(in crate::controller) struct NoOutgoing;

type Outcome<T> = Result<T, Error>;
type InTime<T> = Box<dyn Future<Output = T> + Send>;

impl WasiHttpHooks for NoOutgoing {
    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK
    }

    fn send_request(
        &mut self,
        _request: ::http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _sent: InTime<Outcome<()>>,
    ) -> InTime<Outcome<(::http::Response<WasiBody>, InTime<Outcome<()>>)>> {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}
