//! `wasi:http/incoming-handler` for a controller that answers HTTP: from the streams of WASI to a whole request, and
//! from a whole response back. WebAssembly only.

use std::io::Write as _;
use std::marker::PhantomData;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use wasip2::http::types::{
    Fields, IncomingBody, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam, Scheme,
};
use wasip2::io::streams::StreamError;

use crate::controller::Controller;
use crate::platform;

/// The longest body that is read, in bytes; 413 beyond. An eighth of the memory that an instance has by default, because a
/// handler makes copies: text from bytes, an event from text.
const LONGEST_BODY: usize = 8 << 20;
/// How much of a body is read at once, in bytes.
const PIECE: u64 = 64 << 10;

/// The HTTP handler of the controller `C`.
#[derive(Debug)]
pub struct Http<C>(PhantomData<C>);

impl<C: Controller> wasip2::exports::http::incoming_handler::Guest for Http<C> {
    fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
        let response = match read(request) {
            Ok(request) => C::http(request),
            Err(status) => plain(status),
        };
        let status = response.status();
        let (head, body) = match head(&response) {
            Ok(head) => (head, response.into_body()),
            Err(reason) => {
                platform::log(&format!("http: the answer with status {status} cannot be sent: {reason}"));
                let head = OutgoingResponse::new(Fields::new());
                // 500 is a status that no host refuses.
                let _ = head.set_status_code(500);
                (head, Vec::new())
            }
        };
        write(response_out, head, &body);
    }
}

/// The whole request, or the status that says why there is none.
fn read(incoming: IncomingRequest) -> Result<Request<Vec<u8>>, StatusCode> {
    let mut builder = Request::builder().method(method(&incoming)?).uri(uri(&incoming)?);
    let headers = builder.headers_mut().ok_or(StatusCode::BAD_REQUEST)?;
    for (name, value) in incoming.headers().entries() {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| StatusCode::BAD_REQUEST)?;
        let value = HeaderValue::from_bytes(&value).map_err(|_| StatusCode::BAD_REQUEST)?;
        headers.append(name, value);
    }
    let body = incoming.consume().map_err(|()| StatusCode::INTERNAL_SERVER_ERROR)?;
    builder.body(read_body(&body)?).map_err(|_| StatusCode::BAD_REQUEST)
}

fn method(incoming: &IncomingRequest) -> Result<Method, StatusCode> {
    use wasip2::http::types::Method as Wasi;
    Ok(match incoming.method() {
        Wasi::Get => Method::GET,
        Wasi::Head => Method::HEAD,
        Wasi::Post => Method::POST,
        Wasi::Put => Method::PUT,
        Wasi::Delete => Method::DELETE,
        Wasi::Connect => Method::CONNECT,
        Wasi::Options => Method::OPTIONS,
        Wasi::Trace => Method::TRACE,
        Wasi::Patch => Method::PATCH,
        Wasi::Other(name) => Method::from_bytes(name.as_bytes()).map_err(|_| StatusCode::BAD_REQUEST)?,
    })
}

/// The whole address where the client has sent a host, else the path and query.
fn uri(incoming: &IncomingRequest) -> Result<http::Uri, StatusCode> {
    let target = incoming.path_with_query().unwrap_or_else(|| "/".to_owned());
    let uri = match incoming.authority() {
        Some(authority) => {
            let scheme = match incoming.scheme() {
                Some(Scheme::Https) => "https".to_owned(),
                Some(Scheme::Other(scheme)) => scheme,
                Some(Scheme::Http) | None => "http".to_owned(),
            };
            http::Uri::builder().scheme(scheme.as_str()).authority(authority).path_and_query(target).build().ok()
        }
        None => target.parse().ok(),
    };
    uri.ok_or(StatusCode::BAD_REQUEST)
}

fn read_body(body: &IncomingBody) -> Result<Vec<u8>, StatusCode> {
    let stream = body.stream().map_err(|()| StatusCode::INTERNAL_SERVER_ERROR)?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(PIECE) {
            // Refused before it is kept: a vector doubles when it grows.
            Ok(piece) if bytes.len() + piece.len() > LONGEST_BODY => {
                platform::log(&format!(
                    "http: a body of over {LONGEST_BODY} bytes is answered with 413: `Controller::http` takes no more, \
                     whatever the host's `max-body`; `wasi:http` by itself streams"
                ));
                return Err(StatusCode::PAYLOAD_TOO_LARGE);
            }
            Ok(piece) => bytes.extend_from_slice(&piece),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(_)) => return Err(StatusCode::BAD_REQUEST),
        }
    }
}

/// Status and header fields in WASI's terms; the error is text for the log.
fn head(response: &Response<Vec<u8>>) -> Result<OutgoingResponse, String> {
    let fields = fields(response.headers())?;
    // The whole body is at hand, so its length is known; where a status forbids a body, it forbids the length, too.
    let takes_body = !response.status().is_informational()
        && !matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if takes_body && !response.headers().contains_key(header::CONTENT_LENGTH) {
        let length = response.body().len().to_string();
        // A host that refuses the length says it in chunks.
        let _ = fields.append(header::CONTENT_LENGTH.as_str(), length.as_bytes());
    }
    let head = OutgoingResponse::new(fields);
    head.set_status_code(response.status().as_u16()).map_err(|()| "the host refuses the status".to_owned())?;
    Ok(head)
}

fn fields(headers: &HeaderMap) -> Result<Fields, String> {
    let fields = Fields::new();
    for (name, value) in headers {
        fields
            .append(name.as_str(), value.as_bytes())
            .map_err(|error| format!("the host refuses the header field `{name}`: {error}"))?;
    }
    Ok(fields)
}

fn write(response_out: ResponseOutparam, head: OutgoingResponse, bytes: &[u8]) {
    let body = head.body();
    ResponseOutparam::set(response_out, Ok(head));
    let Ok(body) = body else { return };
    if let Ok(mut stream) = body.write() {
        // An error says that the client has gone: expected, and nothing is left to do.
        let _ = stream.write_all(bytes).is_ok() && stream.blocking_flush().is_ok();
    }
    let _ = OutgoingBody::finish(body, None);
}

fn plain(status: StatusCode) -> Response<Vec<u8>> {
    let mut response = Response::new(format!("{status}\n").into_bytes());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
