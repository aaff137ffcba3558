//! Plain HTTP requests, answered by a component's `wasi:http/incoming-handler`. Each request has a fresh instance: nothing
//! of one request is there for the next, and a failure ends one request only. Bodies stream both ways.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::{Error, WasiHttpView};

use super::body::{Bounded, Fault};
use super::call::{self, Ended};
use super::class::Class;
use super::meter::Clock;
use super::state::{GuestState, new_store};
use crate::clients::{Limit as ClientLimit, Visitor};
use crate::limit::Limit;
use crate::text::cut;

/// The body of a controller's answer; it may still be in the making.
type AnswerBody = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// As many requests as may be were still being answered after `call-time`.
    Busy,
    /// The controller trapped, went over a limit, or returned without an answer.
    Failed,
    /// The client's body is over `max-body`.
    BodyTooLarge,
    /// The client's body is over `body-timeout`, or the call ran out of time while it waited for it.
    BodyTooSlow,
    /// The client's body is wrong, or breaks off.
    BodyBroken,
    /// The controller answered with an error of `wasi:http`.
    Error(String),
}

type Head = oneshot::Sender<Result<Response<UnsyncBoxBody<Bytes, Error>>, ErrorCode>>;

impl Class {
    /// Has the controller answer a request. The head is there within `call-time`, counted anew with each piece of the
    /// request's body; after that, `stream-timeout` is how long neither body may move while the guest is at work.
    pub(crate) async fn answer<B>(
        self: &Arc<Self>,
        request: Request<B>,
        visitor: Visitor,
    ) -> Result<Response<AnswerBody>, NoAnswer>
    where
        B: http_body::Body<Data = Bytes, Error: Into<Error>> + Send + Unpin + 'static,
    {
        let Some(component) = self.http.clone() else { return Err(NoAnswer::Failed) };
        let fault = Fault::default();
        let (parts, body) = request.into_parts();
        let body = Bounded::new(body.map_err(Into::<Error>::into), visitor.clone(), fault.clone());
        let Some(body) = body else { return Err(NoAnswer::BodyTooLarge) };
        let slots = self.request_slots(&visitor).await?;
        self.environment.metrics.http_requests.count();
        let clock = Clock::default();
        let failed = Arc::new(AtomicBool::new(false));
        let unread = Arc::new(AtomicBool::new(false));
        let (head, answer) = oneshot::channel();
        let request = Request::from_parts(parts, moving(body, clock.clone()));
        let client = (visitor, fault.clone(), Arc::clone(&unread));
        let alive = self.environment.alive.clone();
        let task =
            handle(Arc::clone(self), component, request, head, clock.clone(), Arc::clone(&failed), client, slots);
        // The task goes on after the head, for the body; it ends by itself, by its limits.
        tokio::spawn(async move {
            task.await;
            drop(alive);
        });
        let answer = answer.await;
        if let Some(at_fault) = fault.verdict() {
            return Err(at_fault);
        }
        match answer {
            Ok(Ok(response)) => {
                clock.streams(self.limits.stream_timeout);
                Ok(response.map(|body| Whole { body: moving(body, clock), failed, unread }.boxed_unsync()))
            }
            Ok(Err(error)) => Err(NoAnswer::Error(cut(&format!("{error:?}"), 300).to_owned())),
            Err(_dropped) => Err(NoAnswer::Failed),
        }
    }
}

/// What a request takes up while it is answered.
struct Slots {
    _theirs: Option<OwnedSemaphorePermit>,
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Class {
    /// A place among the requests of this client's address, one among those of this controller, and one among those of all.
    /// In this order: who has many keeps none of the others from anybody.
    async fn request_slots(&self, visitor: &Visitor) -> Result<Slots, NoAnswer> {
        let (own, all) = (Arc::clone(&self.request_slots), Arc::clone(self.environment.request_slots()));
        let end = tokio::time::Instant::now() + self.limits.call_time;
        let mut theirs = None;
        if let Some(places) = visitor.requests() {
            let Ok(place) = tokio::time::timeout_at(end, places.acquire_owned()).await else {
                visitor.met(ClientLimit::Requests);
                return Err(NoAnswer::Busy);
            };
            theirs = place.ok();
        }
        let Ok(own) = tokio::time::timeout_at(end, own.acquire_owned()).await else {
            let limit = self.shares.requests;
            self.hits.hit(Limit::Requests, format_args!("{limit} are being answered: another one gets 503"));
            return Err(NoAnswer::Busy);
        };
        let Ok(all) = tokio::time::timeout_at(end, all.acquire_owned()).await else {
            let limit = self.environment.settings.max_requests;
            self.hits.hit(Limit::AllRequests, format_args!("{limit} are being answered: another one gets 503"));
            return Err(NoAnswer::Busy);
        };
        match (own, all) {
            (Ok(own), Ok(all)) => Ok(Slots { _theirs: theirs, _own: own, _all: all }),
            _closed => Err(NoAnswer::Busy),
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "all that one request has, each used once")]
async fn handle<B>(
    class: Arc<Class>,
    component: ProxyPre<GuestState>,
    request: Request<B>,
    head: Head,
    clock: Clock,
    failed: Arc<AtomicBool>,
    (visitor, fault, unread): (Visitor, Fault, Arc<AtomicBool>),
    // Given back after the store, which is dropped first.
    _slots: Slots,
) where
    B: http_body::Body<Data = Bytes, Error = Error> + Send + 'static,
{
    let mut store = new_store(&class, clock.clone());
    call::begin(&mut store);
    let mut http = store.data_mut().http();
    let resources = http.new_incoming_request(Scheme::Http, request).and_then(|request| {
        let head = http.new_response_outparam(head)?;
        Ok((request, head))
    });
    let answering = async {
        let (request, head) = resources?;
        let proxy = component.instantiate_async(&mut store).await?;
        proxy.wasi_http_incoming_handler().call_handle(&mut store, request, head).await
    };
    if let Err(ended) = call::within(class.limits.call_time, &clock, answering).await {
        let by_client = match ended {
            Ended::Late if unread.load(Ordering::Acquire) => {
                visitor.met(ClientLimit::AnswerTimeout);
                true
            }
            Ended::Late => fault.blame(&visitor),
            Ended::Error(_) => fault.verdict().is_some() && !store.data().meter.exceeded(),
        };
        if !by_client {
            class.failed(ended, store.data(), "http");
        }
        // Before the store and its end of the body are dropped, which by itself would look like the body's end.
        failed.store(true, Ordering::Release);
    } else {
        class.breaker.done(1);
        class.breaker.welcomed();
    }
}

/// The body of an answer, which ends well only if the guest has not failed: half an answer must not pass for a whole one.
struct Whole<B> {
    body: B,
    failed: Arc<AtomicBool>,
    /// The client has not yet taken the last piece that the guest has made: it is the client that is waited for.
    unread: Arc<AtomicBool>,
}

#[derive(Debug, thiserror::Error)]
#[error("the controller failed in the middle of its answer")]
struct Half;

impl<B> http_body::Body for Whole<B>
where
    B: http_body::Body<Data = Bytes, Error = Error> + Unpin,
{
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.unread.store(false, Ordering::Release);
        let polled = ready!(Pin::new(&mut self.body).poll_frame(context));
        self.unread.store(polled.is_some(), Ordering::Release);
        match polled {
            None if self.failed.swap(false, Ordering::AcqRel) => Poll::Ready(Some(Err(Half.into()))),
            frame => Poll::Ready(frame.map(|frame| frame.map_err(Into::into))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body of which each piece that moves is a sign of life of the call.
fn moving<B>(body: B, clock: Clock) -> UnsyncBoxBody<Bytes, Error>
where
    B: http_body::Body<Data = Bytes, Error: Into<Error>> + Send + 'static,
{
    body.map_frame(move |frame| {
        clock.moved();
        frame
    })
    .map_err(Into::into)
    .boxed_unsync()
}
