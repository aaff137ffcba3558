//! HTTP/1.1: every request finds its controller, a static file, or its place in the table of rejections.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;

pub(crate) use self::files::Files;
use self::forwarded::Forwarded;
use self::reject::Reject;
use self::target::Target;
use crate::clients::{Limit, Place, Visitor};
use crate::controller::{Class, Environment, NoAnswer};
use crate::rate::RateLimit;
use crate::router::{NoRoute, Router};
use crate::shutdown::Alive;
use crate::tied::Tied;

mod authority;
mod files;
mod forwarded;
mod handshake;
mod origin;
mod reject;
mod target;
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
    /// The address of this server that it has reached.
    local: SocketAddr,
    /// Whether a trusted proxy has passed its request on.
    proxied: bool,
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
    pub(crate) fn new(
        visitor: Visitor,
        local: SocketAddr,
        place: OwnedSemaphorePermit,
        own: Place,
        alive: Alive,
    ) -> Self {
        let held = Arc::new(Held { _place: place, _own: own, _alive: alive });
        Client { visitor, local, proxied: false, _held: held, _behind: None }
    }

    /// The client itself if this one is a proxy that says who it is, and what it says of the request.
    fn behind(mut self, headers: &HeaderMap) -> Result<(Self, Forwarded), Reject> {
        let mut forwarded = Forwarded::default();
        if self.visitor.is_proxy() {
            self.proxied = true;
            forwarded = forwarded::request(headers, &self.visitor);
            self.visitor = forwarded::client(headers, &self.visitor);
            self._behind = Some(Arc::new(self.visitor.enter().ok_or(Reject::AddressFull)?));
        }
        Ok((self, forwarded))
    }
}

impl Service {
    pub(crate) fn new(router: Router, files: Option<Files>, environment: Arc<Environment>) -> Self {
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

    async fn dispatch(&self, mut request: Request<Incoming>, client: Client) -> Result<Response<Body>, Reject> {
        if head_size(&request) > self.environment.settings.max_header {
            client.visitor.met(Limit::Header);
            return Err(Reject::HeadTooLarge);
        }
        let (client, forwarded) = client.behind(request.headers())?;
        let target = Target::of(&mut request, &client, &forwarded).inspect_err(|_| client.visitor.met(Limit::Http))?;
        if target.named && !self.answers_to(&target) {
            return Err(Reject::Misdirected(target.origin()));
        }
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
            let is_own = !self.environment.settings.hosts.is_empty()
                || client.proxied
                || !client.local.ip().to_canonical().is_loopback()
                || target.authority.is_loopback();
            origin::check(request.headers(), &target, is_own, &class.origins).inspect_err(|_| refused())?;
            let params = route.params;
            return upgrade::accept(Arc::clone(class), request, params, client).await.inspect_err(|_| refused());
        }
        if !class.has_http() {
            let readable = matches!(*request.method(), Method::GET | Method::HEAD);
            return Err(if readable { Reject::UpgradeRequired } else { Reject::Method("GET") });
        }
        plain(class, request, client, target.secure).await
    }

    /// Whether the request is for one of `hosts`.
    fn answers_to(&self, target: &Target) -> bool {
        let hosts = &self.environment.settings.hosts;
        let (host, port) = (target.authority.host(), target.authority.port(target.secure));
        hosts.is_empty() || hosts.iter().any(|pattern| pattern.matches(host, port))
    }

    async fn file(&self, request: Request<Incoming>, upgrade: bool) -> Result<Response<Body>, Reject> {
        match &self.files {
            Some(files) if !upgrade => files.serve(&request).await,
            _ => Err(Reject::NotFound),
        }
    }
}

/// How long the head was, as it is written without superfluous spaces. The library looks at its buffer, which may have been
/// filled beyond the limit when the end of the head is in it.
fn head_size(request: &Request<Incoming>) -> usize {
    let line = request.method().as_str().len() + request.uri().path_and_query().map_or(1, |path| path.as_str().len());
    let fields = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    line + "  HTTP/1.1\r\n\r\n".len() + fields.sum::<usize>()
}

async fn plain(
    class: &Arc<Class>,
    request: Request<Incoming>,
    client: Client,
    secure: bool,
) -> Result<Response<Body>, Reject> {
    class.admit().map_err(Reject::BackedOff)?;
    let answer = class.answer(request, client.visitor.clone(), secure).await.map_err(|none| match none {
        NoAnswer::Busy => Reject::Busy,
        NoAnswer::Failed => Reject::Failed("the controller gave no answer".into()),
        NoAnswer::BodyTooLarge => Reject::BodyTooLarge,
        NoAnswer::BodyTooSlow => Reject::BodyTooSlow,
        NoAnswer::BodyBroken => Reject::BodyBroken,
        NoAnswer::Error(error) => Reject::Failed(format!("the controller answered with {error}")),
    })?;
    // A client behind a proxy keeps its place for as long as it is answered.
    Ok(answer.map(|body| Tied::new(body, client).boxed_unsync()))
}
