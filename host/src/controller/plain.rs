//! Plain HTTP requests, answered by a component's `wasi:http/incoming-handler`. Each request has a fresh instance: nothing
//! of one request is there for the next, and a failure ends one request only. Bodies stream both ways.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::{Error, WasiHttpView};

use super::call::{self, Ended};
use super::class::Class;
use super::meter::Progress;
use super::state::{GuestState, new_store};

/// The body of a controller's answer, and of a request to it.
type Body = UnsyncBoxBody<Bytes, Error>;

/// A controller's answer; its body may still be in the making.
pub(crate) type Answer = Response<Body>;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// The component answers no plain requests.
    NotHttp,
    /// No instance was free within `call-time`.
    Busy,
    /// The controller trapped, went over a limit, or returned without an answer.
    Failed,
    /// The controller answered with an error of `wasi:http`.
    Error(String),
}

type Head = oneshot::Sender<Result<Answer, ErrorCode>>;

impl Class {
    /// Has the controller answer a request. The head is there within `call-time`; after that, `call-time` is how long
    /// neither body may move while the guest is at work.
    pub(crate) async fn answer<B>(self: &Arc<Self>, request: Request<B>) -> Result<Answer, NoAnswer>
    where
        B: http_body::Body<Data = Bytes, Error: Into<Error>> + Send + 'static,
    {
        let Some(component) = self.http.clone() else { return Err(NoAnswer::NotHttp) };
        let slots = Arc::clone(self.environment.slots());
        let slot = tokio::time::timeout(self.limits.call_time, slots.acquire_owned())
            .await
            .map_err(|_elapsed| NoAnswer::Busy)?
            .map_err(|_closed| NoAnswer::Busy)?;
        self.environment.metrics.http_requests.count();
        let progress = Progress::default();
        let (head, answer) = oneshot::channel();
        let request = request.map(|body| stepping(body, progress.clone()));
        let alive = self.environment.alive.clone();
        let task = handle(Arc::clone(self), component, request, head, progress.clone(), slot);
        // The task goes on after the head, for the body; it ends by itself, by its limits.
        tokio::spawn(async move {
            task.await;
            drop(alive);
        });
        match answer.await {
            Ok(Ok(response)) => Ok(response.map(|body| stepping(body, progress))),
            Ok(Err(error)) => Err(NoAnswer::Error(format!("{error:?}"))),
            Err(_dropped) => Err(NoAnswer::Failed),
        }
    }
}

async fn handle(
    class: Arc<Class>,
    component: ProxyPre<GuestState>,
    request: Request<Body>,
    head: Head,
    progress: Progress,
    // Given back after the store, which is dropped first.
    _slot: OwnedSemaphorePermit,
) {
    let mut store = new_store(&class, progress.clone());
    call::begin(&mut store);
    let mut http = store.data_mut().http();
    let resources = http.new_incoming_request(Scheme::Http, request).and_then(|request| {
        let head = http.new_response_outparam(head)?;
        Ok((request, head))
    });
    let (request, head) = match resources {
        Ok(resources) => resources,
        Err(error) => {
            class.failed(Ended::Error(error), store.data(), "http");
            return;
        }
    };
    let answering = async {
        let proxy = component.instantiate_async(&mut store).await?;
        proxy.wasi_http_incoming_handler().call_handle(&mut store, request, head).await
    };
    if let Err(ended) = call::within(class.limits.call_time, &progress, answering).await {
        class.failed(ended, store.data(), "http");
    }
}

/// A body of which each piece that moves is a step of the call.
fn stepping<B>(body: B, progress: Progress) -> Body
where
    B: http_body::Body<Data = Bytes, Error: Into<Error>> + Send + 'static,
{
    body.map_frame(move |frame| {
        progress.step();
        frame
    })
    .map_err(Into::into)
    .boxed_unsync()
}
