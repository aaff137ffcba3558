//! Plain HTTP requests, answered by a component's `wasi:http/incoming-handler`. Each request has a fresh instance, unless
//! `requests-per-instance` allows more (`reuse`): nothing of one request is there for the next, and a failure ends one request
//! only. Bodies stream both ways.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::{Error, WasiHttpView};

use super::body::{Bounded, Fault};
use super::call::{self, Ended};
use super::class::Class;
use super::engine_errors::is_good_exit;
use super::meter::Clock;
use super::state::{GuestState, new_store};
use crate::clients::{Limit as ClientLimit, Visitor};
use crate::limit::Limit;
use crate::text::cut;

pub(in crate::controller) use self::progress::Progress;
use self::progress::has_no_content;
pub(in crate::controller) use self::reuse::{MOST_WAITING, WaitingInstances};
use self::reuse::{Reusable, keep};
use self::whole::{Between, Waiting, Whole};

mod progress;
mod reuse;
mod whole;

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
        secure: bool,
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
        let between = Arc::new(Between::default());
        // From here on whoever is dropped lets the answer go.
        let mut waiting = Waiting::new(&between);
        let head_only = parts.method == Method::HEAD;
        let (head, answer) = oneshot::channel();
        let request = Request::from_parts(parts, moving(body, clock.clone()));
        let client = Client { visitor, secure, fault: fault.clone(), between: Arc::clone(&between), head_only };
        let alive = self.environment.alive.clone();
        let task = handle(Arc::clone(self), component, request, head, clock.clone(), client, slots);
        // The task goes on after the head, for the body; it ends by itself, by its limits.
        #[expect(clippy::disallowed_methods, reason = "it ends by the limits of the call, and holds `alive`")]
        tokio::spawn(async move {
            task.await;
            drop(alive);
        });
        let answer = answer.await;
        if let Some(at_fault) = fault.verdict() {
            return Err(at_fault);
        }
        let response = match answer {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                waiting.is_served();
                return Err(NoAnswer::Error(cut(&format!("{error:?}"), 300).to_owned()));
            }
            Err(_dropped) => {
                waiting.is_served();
                return Err(NoAnswer::Failed);
            }
        };
        clock.streams(self.limits.stream_timeout);
        let (mut head, body) = response.into_parts();
        if head.status.is_informational() {
            waiting.is_served();
            // Neither an answer, nor the guest's to send (RFC 9110, section 15.2).
            return Err(NoAnswer::Error(format!("status {}, which is no answer", head.status.as_u16())));
        }
        let length = head.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let body = Whole::new(moving(body, clock), length, between, fault, waiting);
        if head_only || has_no_content(head.status) {
            if head.status == StatusCode::RESET_CONTENT {
                head.headers.remove(header::CONTENT_LENGTH);
            }
            self.discard(body);
            return Ok(Response::from_parts(head, Empty::new().map_err(|never| match never {}).boxed_unsync()));
        }
        Ok(Response::from_parts(head, body.boxed_unsync()))
    }

    /// Takes in a body that goes to nobody, as a client would, so that the guest does what it does for others. For as long as
    /// a call may take: a stream without an end is let go of then.
    fn discard(&self, mut body: impl http_body::Body<Data = Bytes> + Send + Unpin + 'static) {
        let (call_time, alive) = (self.limits.call_time, self.environment.alive.clone());
        #[expect(clippy::disallowed_methods, reason = "it ends after `call-time`, and holds `alive`")]
        tokio::spawn(async move {
            let _ = tokio::time::timeout(call_time, async { while let Some(Ok(_)) = body.frame().await {} }).await;
            drop((body, alive));
        });
    }
}

/// What is to be known of the client while the guest is at work.
struct Client {
    visitor: Visitor,
    /// It speaks TLS.
    secure: bool,
    fault: Fault,
    between: Arc<Between>,
    head_only: bool,
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

async fn handle<B>(
    class: Arc<Class>,
    component: ProxyPre<GuestState>,
    request: Request<B>,
    head: Head,
    clock: Clock,
    client: Client,
    // Given back after the store, which is dropped first.
    _slots: Slots,
) where
    B: http_body::Body<Data = Bytes, Error = Error> + Send + 'static,
{
    let progress = Progress::of(client.head_only);
    let (mut store, reused) = match class.waiting_instances.take() {
        Some(Reusable { mut store, proxy, answered }) => {
            store.data_mut().answer_another(clock.clone());
            (store, Some((proxy, answered)))
        }
        None => (new_store(&class, clock.clone()), None),
    };
    store.data_mut().progress = progress;
    call::begin(&mut store);
    let scheme = if client.secure { Scheme::Https } else { Scheme::Http };
    let mut http = store.data_mut().http();
    let resources = http.new_incoming_request(scheme, request).and_then(|request| {
        let head = http.new_response_outparam(head)?;
        Ok((request, head))
    });
    let answering = async {
        let (request, head) = resources?;
        let (proxy, answered) = match reused {
            Some(reused) => reused,
            None => (component.instantiate_async(&mut store).await?, 0),
        };
        proxy.wasi_http_incoming_handler().call_handle(&mut store, request, head).await?;
        Ok((proxy, answered + 1))
    };
    let between = &client.between;
    let alone = async {
        between.gone().await;
        // Nobody waits for it: it may finish what it is at, and no more.
        clock.streams(class.limits.call_time);
        std::future::pending::<std::convert::Infallible>().await
    };
    let called = tokio::select! {
        biased;
        never = alone => match never {},
        called = call::within(class.limits.call_time, &clock, answering) => called,
    };
    let state = store.data();
    match called {
        Ok((proxy, answered)) => {
            class.breaker.done(1);
            class.breaker.welcomed();
            if answered < class.limits.requests_per_instance && state.progress.is_whole() {
                keep(&class, class.environment.waiting_instances(), Reusable { store, proxy, answered });
            }
            return;
        }
        // Runtimes of other languages end so.
        Err(Ended::Error(error)) if state.progress.is_whole() && is_good_exit(&error) => {
            class.breaker.done(1);
            class.breaker.welcomed();
            return;
        }
        Err(ended) if client.is_to_blame(&ended, state) => {}
        // What it may use of CPU is the guest's matter, whoever waits for it.
        Err(ended) if between.is_let_go() && !state.meter.exceeded() => {
            class.environment.metrics.answers_abandoned.count();
            let (controller, client) = (&*class.name, client.visitor.address().ip());
            tracing::debug!(controller, %client, "http ended after its client: {ended:?}");
        }
        Err(ended) => class.failed(ended, state, "http"),
    }
    if !store.data().progress.is_whole() {
        // Before the store and its end of the body are dropped, which by itself would look like the body's end.
        client.between.fail();
    }
}

impl Client {
    /// Whether the call has ended for what the client did or did not do; it is counted then.
    fn is_to_blame(&self, ended: &Ended, state: &GuestState) -> bool {
        match ended {
            Ended::Late if self.between.is_unread() => {
                self.visitor.met(ClientLimit::AnswerTimeout);
                true
            }
            Ended::Late => self.fault.blame(&self.visitor),
            Ended::Error(_) => self.fault.verdict().is_some() && !state.meter.exceeded(),
        }
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
