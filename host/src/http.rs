//! HTTP/1.1: every request finds its controller, a static file, or its place in the table of rejections.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Version, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;

use self::files::Files;
use self::reject::Reject;
use crate::clients::{Limit, Place, Visitor};
use crate::controller::{Class, Environment, NoAnswer};
use crate::rate::RateLimit;
use crate::router::{NoRoute, Router};
use crate::shutdown::Alive;

mod files;
mod forwarded;
mod handshake;
mod origin;
mod reject;
mod upgrade;

/// How many rejected requests are logged in a second; each of them has one line.
const REJECTS_LOGGED: u32 = 20;

/// The body of any response.
pub(crate) type Body = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// Answers the requests of all connections of one server.
pub(crate) struct Service {
    router: Router,
    files: Option<Files>,
    environment: Arc<Environment>,
    /// What clients can make the host write about requests that are turned down.
    log: RateLimit,
}

/// Where a request came from, and what it holds while it is served; a WebSocket keeps it.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) visitor: Visitor,
    _held: Arc<Held>,
    /// The place of a client behind a trusted proxy, whose connections are no client's own.
    _behind: Option<Arc<Place>>,
}

/// What a TCP connection holds.
struct Held {
    /// Among `max-connections`.
    _place: OwnedSemaphorePermit,
    /// Among those of its address.
    _own: Place,
    _alive: Alive,
}

impl Client {
    pub(crate) fn new(visitor: Visitor, place: OwnedSemaphorePermit, own: Place, alive: Alive) -> Self {
        Client { visitor, _held: Arc::new(Held { _place: place, _own: own, _alive: alive }), _behind: None }
    }

    /// The client itself if this one is a proxy that says who it is.
    fn behind(mut self, headers: &HeaderMap) -> Result<Self, Reject> {
        if self.visitor.is_proxy() {
            self.visitor = forwarded::client(headers, &self.visitor);
            self._behind = Some(Arc::new(self.visitor.enter().ok_or(Reject::AddressFull)?));
        }
        Ok(self)
    }
}

impl Service {
    pub(crate) fn new(router: Router, environment: Arc<Environment>) -> Self {
        let files = environment.settings.public.as_deref().map(Files::new);
        Service { router, files, environment, log: RateLimit::new(REJECTS_LOGGED) }
    }

    /// Answers one request; whatever goes wrong is an answer, too.
    pub(crate) async fn respond(&self, request: Request<Incoming>, client: Client) -> Response<Body> {
        let head_only = request.method() == Method::HEAD;
        let answered = self.dispatch(request, client).await;
        let response = answered.unwrap_or_else(|reject| reject.response(&self.log));
        if head_only {
            response.map(|_body| Empty::new().map_err(|never| match never {}).boxed_unsync())
        } else {
            response
        }
    }

    async fn dispatch(&self, request: Request<Incoming>, client: Client) -> Result<Response<Body>, Reject> {
        let mut hosts = request.headers().get_all(header::HOST).iter();
        match (hosts.next(), hosts.next()) {
            (Some(host), None) if host.to_str().is_ok() => {}
            (None, None) if request.version() < Version::HTTP_11 => {}
            _ => {
                client.visitor.met(Limit::Http);
                return Err(Reject::Host);
            }
        }
        let client = client.behind(request.headers())?;
        let upgrade = handshake::is_asked(request.headers());
        let refused = || self.environment.metrics.connections_refused.count();
        if upgrade && !client.visitor.may_ask() {
            refused();
            return Err(Reject::TooManyHandshakes);
        }
        let route = match self.router.route(request.uri().path()) {
            Ok(route) => route,
            Err(NoRoute::Malformed) => {
                client.visitor.met(Limit::Http);
                return Err(Reject::Path);
            }
            Err(NoRoute::NotFound) => return self.file(request, upgrade).await,
        };
        let class = route.target;
        if upgrade {
            if !class.has_sockets() {
                return Err(Reject::NoSocket);
            }
            let params = route.params;
            return upgrade::accept(Arc::clone(class), request, params, client).await.inspect_err(|_| refused());
        }
        if !class.has_http() {
            let readable = matches!(*request.method(), Method::GET | Method::HEAD);
            return Err(if readable { Reject::UpgradeRequired } else { Reject::Method("GET") });
        }
        plain(class, request, client).await
    }

    async fn file(&self, request: Request<Incoming>, upgrade: bool) -> Result<Response<Body>, Reject> {
        match &self.files {
            Some(files) if !upgrade => files.serve(&request).await,
            _ => Err(Reject::NotFound),
        }
    }
}

async fn plain(class: &Arc<Class>, request: Request<Incoming>, client: Client) -> Result<Response<Body>, Reject> {
    if request.version() < Version::HTTP_11 && !request.headers().contains_key(header::HOST) {
        // wasi:http requests have an authority.
        return Err(Reject::Host);
    }
    class.admit().map_err(Reject::BackedOff)?;
    let answer = class.answer(request, client.visitor.clone()).await.map_err(|none| match none {
        NoAnswer::Busy => Reject::Busy,
        NoAnswer::Failed => Reject::Failed("the controller gave no answer".into()),
        NoAnswer::BodyTooLarge => Reject::BodyTooLarge,
        NoAnswer::BodyTooSlow => Reject::BodyTooSlow,
        NoAnswer::BodyBroken => Reject::BodyBroken,
        NoAnswer::Error(error) => Reject::Failed(format!("the controller answered with {error}")),
    })?;
    // A client behind a proxy keeps its place for as long as it is answered.
    let held = move |frame| {
        let _ = &client;
        frame
    };
    Ok(answer.map(|body| body.map_frame(held).map_err(Into::into).boxed_unsync()))
}
