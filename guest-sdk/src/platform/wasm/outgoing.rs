//! Outgoing HTTP by the real host: a whole request to the streams of WASI, and a whole answer from them.

use std::io::Write as _;

use http::{HeaderName, HeaderValue, Method, Request, Response};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingResponse, Method as Wasi, OutgoingBody, OutgoingRequest, Scheme,
};
use wasip2::io::streams::StreamError;

use crate::fault::{Fault, Result};

/// The longest body that is read, in bytes: an eighth of the memory that an instance has by default.
const LONGEST_BODY: usize = 8 << 20;
/// How much of a body is read at once, in bytes.
const PIECE: u64 = 64 << 10;

pub(crate) fn send_request(request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>> {
    let invalid = |what: &str| Fault::Invalid(format!("the request: {what}"));
    let (head, bytes) = request.into_parts();
    let fields = Fields::new();
    for (name, value) in &head.headers {
        let appended = fields.append(name.as_str(), value.as_bytes());
        appended.map_err(|error| invalid(&format!("the header field `{name}`: {error}")))?;
    }
    if !bytes.is_empty() && !head.headers.contains_key(http::header::CONTENT_LENGTH) {
        // A host that refuses the length says it in chunks.
        let _ = fields.append("content-length", bytes.len().to_string().as_bytes());
    }
    let outgoing = OutgoingRequest::new(fields);
    let scheme = match head.uri.scheme_str() {
        Some("https") => Scheme::Https,
        Some("http") => Scheme::Http,
        _ => return Err(invalid("its URI begins with neither http:// nor https://")),
    };
    let authority = head.uri.authority().map(|authority| authority.as_str());
    let path = head.uri.path_and_query().map(|path| path.as_str());
    outgoing.set_method(&method(&head.method)).map_err(|()| invalid("its method"))?;
    outgoing.set_scheme(Some(&scheme)).map_err(|()| invalid("its scheme"))?;
    outgoing.set_authority(authority).map_err(|()| invalid("its authority"))?;
    outgoing.set_path_with_query(path).map_err(|()| invalid("its path"))?;

    let body = outgoing.body().map_err(|()| invalid("its body"))?;
    let coming = outgoing_handler::handle(outgoing, None).map_err(fault)?;
    // An error here is one of the connection, of which the answer tells more.
    if !bytes.is_empty()
        && let Ok(mut stream) = body.write()
    {
        let _ = stream.write_all(&bytes).is_ok() && stream.blocking_flush().is_ok();
    }
    let _ = OutgoingBody::finish(body, None);
    coming.subscribe().block();
    let answer = coming.get().and_then(core::result::Result::ok);
    whole(&answer.ok_or_else(|| Fault::Unavailable("no answer".to_owned()))?.map_err(fault)?)
}

fn whole(incoming: &IncomingResponse) -> Result<Response<Vec<u8>>> {
    let unavailable = |what: &str| Fault::Unavailable(format!("the answer: {what}"));
    let mut builder = Response::builder().status(incoming.status());
    if let Some(headers) = builder.headers_mut() {
        for (name, value) in incoming.headers().entries() {
            // What the host has understood is understood here.
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(&value)) {
                headers.append(name, value);
            }
        }
    }
    let body = incoming.consume().map_err(|()| unavailable("no body"))?;
    builder.body(read(&body)?).map_err(|_| unavailable("its status"))
}

fn read(body: &IncomingBody) -> Result<Vec<u8>> {
    let stream = body.stream().map_err(|()| Fault::Unavailable("the answer: no body".to_owned()))?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(PIECE) {
            // Refused before it is kept: a vector doubles when it grows.
            Ok(piece) if bytes.len() + piece.len() > LONGEST_BODY => return Err(Fault::TooLarge),
            Ok(piece) => bytes.extend_from_slice(&piece),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(_)) => {
                return Err(Fault::Unavailable("the answer has broken off".to_owned()));
            }
        }
    }
}

fn method(method: &Method) -> Wasi {
    match method.as_str() {
        "GET" => Wasi::Get,
        "HEAD" => Wasi::Head,
        "POST" => Wasi::Post,
        "PUT" => Wasi::Put,
        "DELETE" => Wasi::Delete,
        "CONNECT" => Wasi::Connect,
        "OPTIONS" => Wasi::Options,
        "TRACE" => Wasi::Trace,
        "PATCH" => Wasi::Patch,
        other => Wasi::Other(other.to_owned()),
    }
}

fn fault(error: ErrorCode) -> Fault {
    match error {
        ErrorCode::HttpRequestDenied => Fault::Denied("this destination is not granted, see the host's log".to_owned()),
        ErrorCode::DestinationIpProhibited => {
            Fault::Denied("the address of this destination is not granted, see the host's log".to_owned())
        }
        ErrorCode::HttpRequestUriInvalid | ErrorCode::HttpRequestMethodInvalid => Fault::Invalid(format!("{error:?}")),
        error => Fault::Unavailable(format!("{error:?}")),
    }
}
