//! Everything that can be wrong with a request, as a table: status, headers, what the client is told, what is logged.

use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderName, RETRY_AFTER, SEC_WEBSOCKET_VERSION,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Full};

use super::{Body, handshake};
use crate::rate::{Admitted, RateLimit};
use crate::request::Refusal;
use crate::text::cut;

/// Why a request gets no 101 and no page.
#[derive(Debug)]
pub(super) enum Reject {
    /// No `host`, several, or one that is none.
    Host,
    /// The head is over `max-header`.
    HeadTooLarge,
    /// It is for a host that is none of `hosts`.
    Misdirected(String),
    /// The path is not valid percent-encoded UTF-8.
    Path,
    /// Nothing is there.
    NotFound,
    /// A controller is there that takes no WebSockets.
    NoSocket,
    /// A condition of the request does not hold.
    Precondition,
    /// The file has nothing of the range that is asked for; how long it is.
    Range(u64),
    /// Something is there that does not know the method; what it knows.
    Method(&'static str),
    /// A controller is there that only takes WebSockets.
    UpgradeRequired,
    /// Not the version of the WebSocket protocol that is spoken here.
    SocketVersion,
    /// The handshake breaks RFC 6455; how.
    Handshake(&'static str),
    /// A page of this origin may not connect to what it has asked for; why, for the log only.
    Origin { origin: String, target: String, why: &'static str },
    /// The controller said no.
    Refused(Refusal),
    /// As many connections as there may be have this client's address.
    AddressFull,
    /// The client's address asks for too many WebSockets.
    TooManyHandshakes,
    /// The body is longer than one may be.
    BodyTooLarge,
    /// The body is too long in coming.
    BodyTooSlow,
    /// The body is wrong, or breaks off.
    BodyBroken,
    /// As much is going on as may go on.
    Busy,
    /// The controller has failed again and again; for how long it is left alone.
    BackedOff(Duration),
    /// The server is being stopped.
    Stopping,
    /// The controller or a file could not be made to answer; why, for the log only.
    Failed(String),
}

impl Reject {
    /// The answer; `log` bounds what clients can make the host write about it.
    pub(super) fn response(self, log: &RateLimit) -> Response<Body> {
        if let Reject::Refused(refusal) = self {
            return refused(refusal, log);
        }
        if log.admit() == Admitted::Yes {
            self.log();
        }
        let (status, text) = self.public();
        let mut response =
            Response::new(Full::new(Bytes::from(format!("{text}\n"))).map_err(|never| match never {}).boxed_unsync());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        for (name, value) in self.headers() {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if let Reject::Range(length) = self
            && let Ok(told) = HeaderValue::try_from(format!("bytes */{length}"))
        {
            headers.insert(CONTENT_RANGE, told);
        }
        if let Reject::BackedOff(time) = self {
            headers.insert(RETRY_AFTER, HeaderValue::from(time.as_secs() + 1));
        }
        response
    }

    /// The status and what the client may know.
    fn public(&self) -> (StatusCode, String) {
        match self {
            Reject::Host => (StatusCode::BAD_REQUEST, "the request must have one valid host header".into()),
            Reject::HeadTooLarge => {
                (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the head of the request is too large".into())
            }
            Reject::Misdirected(_) => {
                (StatusCode::MISDIRECTED_REQUEST, "this server does not answer to that host".into())
            }
            Reject::Path => (StatusCode::BAD_REQUEST, "the path is not valid percent-encoded UTF-8".into()),
            Reject::NotFound => (StatusCode::NOT_FOUND, "nothing is here".into()),
            Reject::NoSocket => (StatusCode::NOT_FOUND, "nothing takes WebSocket connections here".into()),
            Reject::Precondition => {
                (StatusCode::PRECONDITION_FAILED, "a condition of the request does not hold".into())
            }
            Reject::Range(length) => {
                (StatusCode::RANGE_NOT_SATISFIABLE, format!("the file has {length} bytes, and none of the range"))
            }
            Reject::Method(allowed) => (StatusCode::METHOD_NOT_ALLOWED, format!("only {allowed} is possible here")),
            Reject::UpgradeRequired => (StatusCode::UPGRADE_REQUIRED, "connect here with a WebSocket".into()),
            Reject::SocketVersion => (StatusCode::UPGRADE_REQUIRED, "only WebSocket version 13 is spoken here".into()),
            Reject::Handshake(how) => (StatusCode::BAD_REQUEST, format!("not a WebSocket handshake: {how}")),
            Reject::Origin { origin, .. } => {
                (StatusCode::FORBIDDEN, format!("pages of {} may not connect here", cut(origin, 200)))
            }
            Reject::AddressFull => {
                (StatusCode::SERVICE_UNAVAILABLE, "there are too many connections from this address".into())
            }
            Reject::TooManyHandshakes => {
                (StatusCode::TOO_MANY_REQUESTS, "this address asks for too many connections".into())
            }
            Reject::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large".into()),
            Reject::BodyTooSlow => (StatusCode::REQUEST_TIMEOUT, "the body is too slow".into()),
            Reject::BodyBroken => (StatusCode::BAD_REQUEST, "the body is malformed".into()),
            Reject::Busy => (StatusCode::SERVICE_UNAVAILABLE, "the server is busy, try again".into()),
            Reject::BackedOff(_) => (StatusCode::SERVICE_UNAVAILABLE, "this is out of order, try again later".into()),
            Reject::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "the server is stopping, try again".into()),
            Reject::Failed(_) | Reject::Refused(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "the server failed to answer".into())
            }
        }
    }

    fn headers(&self) -> Vec<(HeaderName, &'static str)> {
        match self {
            Reject::Method(allowed) => vec![(ALLOW, allowed)],
            Reject::UpgradeRequired => vec![(UPGRADE, "websocket"), (CONNECTION, "upgrade")],
            Reject::SocketVersion => {
                vec![(UPGRADE, "websocket"), (CONNECTION, "upgrade"), (SEC_WEBSOCKET_VERSION, "13")]
            }
            Reject::AddressFull => vec![(RETRY_AFTER, "5"), (CONNECTION, "close")],
            // A token comes within a second; who floods has to connect anew.
            Reject::TooManyHandshakes => vec![(RETRY_AFTER, "1"), (CONNECTION, "close")],
            Reject::HeadTooLarge | Reject::BodyTooLarge | Reject::BodyTooSlow | Reject::BodyBroken => {
                vec![(CONNECTION, "close")]
            }
            Reject::Busy | Reject::Stopping => vec![(RETRY_AFTER, "1")],
            _ => Vec::new(),
        }
    }

    fn log(&self) {
        match self {
            Reject::Failed(cause) => tracing::warn!("500: {cause}"),
            Reject::Origin { origin, target, why } => {
                let (origin, target) = (cut(origin, 200), cut(target, 200));
                tracing::info!("403: a page of {origin:?} may not connect to {target:?}: {why}");
            }
            Reject::Misdirected(target) => {
                tracing::info!("421: a request for {:?}, which is none of `hosts`", cut(target, 200));
            }
            other => tracing::debug!("rejected: {other:?}"),
        }
    }
}

/// The controller's own answer.
fn refused(refusal: Refusal, log: &RateLimit) -> Response<Body> {
    let failed = |wrong: String| Reject::Failed(format!("connect refused with {wrong}")).response(log);
    let status = StatusCode::from_u16(refusal.status).ok().filter(|status| (300..600).contains(&status.as_u16()));
    let Some(status) = status else {
        return failed(format!("status {}; 300 to 599 are possible", refusal.status));
    };
    if let Err(wrong) = handshake::check_fields(&refusal.headers) {
        return failed(wrong);
    }
    let body = Full::new(Bytes::from(refusal.body)).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, value) in &refusal.headers {
        match handshake::header(name, value) {
            Ok((name, _)) if is_own(&name, status) => {
                return failed(format!("the header {name}, which is the host's to set"));
            }
            Ok((name, value)) => drop(response.headers_mut().append(name, value)),
            Err(wrong) => return failed(format!("a bad header: {wrong}")),
        }
    }
    if response.headers().contains_key(UPGRADE) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
    response
}

/// Whether a header field of a refusal is the host's to set: what says how long the answer is, and what rules the connection.
/// The protocol to upgrade to is what a 426 is for (RFC 9110, section 15.5.22).
fn is_own(name: &HeaderName, status: StatusCode) -> bool {
    [CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION].contains(name)
        || (*name == UPGRADE && status != StatusCode::UPGRADE_REQUIRED)
}
