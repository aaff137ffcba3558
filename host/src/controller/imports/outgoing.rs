//! `wasi:http/outgoing-handler`: requests that a guest sends, to where it is granted to. Each is judged by itself; a redirect
//! is an answer, and to follow it is a request of the guest's.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use tokio::sync::Semaphore;
use wasmtime::component::Linker;
use wasmtime_wasi_http::p2::bindings::http::outgoing_handler;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttp, WasiHttpHooks, WasiHttpView};

use crate::controller::class::Class;
use crate::controller::state::GuestState;
use crate::destination::Target;
use crate::limit::Limit;
use crate::outbound::{self, Answer, Broken, NotOpen};

/// How much of a body the host buffers for a guest before the guest has to wait, once for the chunk that is on its way and
/// once for the next.
const CHUNK: usize = 64 * 1024;

type Outcome<T> = Result<T, Error>;
type InTime<T> = Box<dyn Future<Output = T> + Send>;

pub(in crate::controller) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    outgoing_handler::add_to_linker::<_, WasiHttp>(linker, GuestState::http)
}

/// The way out of one store.
pub(in crate::controller) struct Outgoing {
    class: Arc<Class>,
    slots: Arc<Semaphore>,
}

impl Outgoing {
    pub(in crate::controller) fn new(class: &Arc<Class>) -> Self {
        Outgoing { class: Arc::clone(class), slots: Arc::new(Semaphore::new(class.limits.max_outgoing)) }
    }
}

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: ::http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _sent: InTime<Outcome<()>>,
    ) -> InTime<Outcome<(::http::Response<WasiBody>, InTime<Outcome<()>>)>> {
        let class = Arc::clone(&self.class);
        let slot = Arc::clone(&self.slots).try_acquire_owned();
        Box::new(async move {
            let target = Target::of(request.uri()).ok_or(Error::HttpRequestUriInvalid)?;
            let Some(outbound) = class.granted.outbound.clone().filter(|outbound| outbound.names(&target)) else {
                class.denied(
                    None,
                    &format!("not granted: http = [\"{target}\"] in [controller.{}] of lakou.toml", class.name),
                );
                return Err(Error::HttpRequestDenied);
            };
            let slot = slot.map_err(|_full| {
                let limit = class.limits.max_outgoing;
                class.hits.hit(Limit::Outgoing, format_args!("{limit} requests are under way: another one is refused"));
                Error::ConnectionLimitReached
            })?;
            class.environment.metrics.outgoing_requests.count();
            let options = options.unwrap_or_default();
            // No wait is longer than a call may be: nobody would be there any more to see its end.
            let patience = |wish: Option<Duration>| wish.unwrap_or(class.limits.call_time).min(class.limits.call_time);
            let line = outbound.open(&target, patience(options.connect_timeout)).await;
            let line = line.map_err(|error| not_open(&class, error))?;
            let (first, next) = (patience(options.first_byte_timeout), patience(options.between_bytes_timeout));
            let Answer { response, driver } =
                outbound::exchange(line, &target, request, first, next).await.map_err(broken)?;
            let response = response.map(|body| body.map_err(broken).boxed_unsync());
            let driver: InTime<Outcome<()>> = Box::new(async move {
                driver.await;
                drop(slot);
                Ok(())
            });
            Ok((response, driver))
        })
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK
    }
}

fn not_open(class: &Class, error: NotOpen) -> Error {
    match error {
        NotOpen::NotGranted(_) => Error::HttpRequestDenied,
        NotOpen::Prohibited { .. } => {
            class.environment.metrics.outgoing_prohibited.count();
            class.denied(None, &error.to_string());
            Error::DestinationIpProhibited
        }
        NotOpen::Unknown(_) => Error::DnsError { rcode: None, info_code: None },
        NotOpen::Late(_) => Error::ConnectionTimeout,
        NotOpen::Dial(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        NotOpen::Dial(_) => Error::DestinationUnavailable,
        NotOpen::Certificate(_) => Error::TlsCertificateError,
        NotOpen::Tls(_) => Error::TlsProtocolError,
    }
}

fn broken(error: Broken) -> Error {
    match error {
        Broken::Late => Error::ConnectionReadTimeout,
        Broken::LongHead => Error::HttpResponseHeaderSectionSize(None),
        // Not as the library's own error, which it writes to the log each time: the guest is told, and that is enough.
        Broken::Http(_) => Error::HttpProtocolError,
    }
}
