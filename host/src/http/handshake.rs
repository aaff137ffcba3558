//! The opening handshake of a WebSocket (RFC 6455, section 4.2), as far as it can be decided without the controller.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Version};

use super::reject::Reject;
use crate::session::derive_accept_key;
use crate::text::{cut, is_token};

/// Whether the request asks for a WebSocket at all.
pub(super) fn is_asked(headers: &HeaderMap) -> bool {
    has_token(headers, &header::UPGRADE, "websocket")
}

/// What a client's handshake says.
#[derive(Debug)]
pub(super) struct Handshake {
    /// What its key is answered with.
    pub(super) accept_key: String,
    /// The subprotocols that it offers, in its order.
    pub(super) subprotocols: Vec<String>,
}

/// Checks what RFC 6455, section 4.2.1 wants.
pub(super) fn check<B>(request: &Request<B>) -> Result<Handshake, Reject> {
    if request.method() != Method::GET {
        return Err(Reject::Method("GET"));
    }
    if request.version() < Version::HTTP_11 {
        return Err(Reject::Handshake("HTTP/1.1 is needed"));
    }
    let headers = request.headers();
    let length = headers.get(header::CONTENT_LENGTH);
    if headers.contains_key(header::TRANSFER_ENCODING) || length.is_some_and(|length| length != "0") {
        // What follows the head are frames.
        return Err(Reject::Handshake("a request for a WebSocket has no body"));
    }
    if !has_token(headers, &header::CONNECTION, "upgrade") {
        return Err(Reject::Handshake("the connection header does not say upgrade"));
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(Reject::SocketVersion);
    }
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
    match (keys.next(), keys.next()) {
        (Some(key), None) if is_key(key.as_bytes()) => {
            Ok(Handshake { accept_key: derive_accept_key(key.as_bytes()), subprotocols: subprotocols(headers)? })
        }
        _ => Err(Reject::Handshake("sec-websocket-key must be one base64 value of 16 bytes")),
    }
}

/// What the client offers; the controller is not shown what is none, and could choose it.
fn subprotocols(headers: &HeaderMap) -> Result<Vec<String>, Reject> {
    let name = header::SEC_WEBSOCKET_PROTOCOL;
    let readable = headers.get_all(&name).iter().all(|value| value.to_str().is_ok());
    if !readable || !tokens(headers, &name).all(is_token) {
        return Err(Reject::Handshake("sec-websocket-protocol must be a list of tokens"));
    }
    Ok(tokens(headers, &name).map(str::to_owned).collect())
}

/// A header field of a controller's answer, if it is one.
pub(super) fn header(name: &str, value: &[u8]) -> Result<(HeaderName, HeaderValue), String> {
    let parsed =
        HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("{:?} is no header name", cut(name, 64)))?;
    let value = HeaderValue::from_bytes(value)
        .map_err(|_| format!("the value of {} has bytes that no header may have", cut(parsed.as_str(), 64)))?;
    Ok((parsed, value))
}

/// How many header fields a controller may add to an answer, and how many bytes they have together: as many as this host
/// reads from a client, and more than most clients read.
const FIELDS: usize = 100;
const FIELD_BYTES: usize = 64 * 1024;

/// Whether a controller's header fields are few and short enough.
pub(super) fn check_fields(fields: &[(String, Vec<u8>)]) -> Result<(), String> {
    let bytes: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
    if fields.len() <= FIELDS && bytes <= FIELD_BYTES {
        return Ok(());
    }
    Err(format!("{} header fields of {bytes} bytes; {FIELDS} of {FIELD_BYTES} are possible", fields.len()))
}

/// Whether a header field belongs to the handshake itself, and so to the host.
pub(super) fn is_own(name: &HeaderName) -> bool {
    let own = [header::CONNECTION, header::UPGRADE, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];
    own.contains(name) || name.as_str().starts_with("sec-websocket-")
}

/// 16 bytes in base64: 22 characters and two of padding.
fn is_key(key: &[u8]) -> bool {
    let Some((text, b"==")) = key.split_last_chunk::<2>() else { return false };
    text.len() == 22 && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte))
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|other| other.eq_ignore_ascii_case(token))
}

fn tokens<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> http::request::Builder {
        Request::get("/chat")
            .header("host", "example.org")
            .header("connection", "keep-alive, Upgrade")
            .header("upgrade", "WebSocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
    }

    fn with(name: &str, value: &str) -> Request<()> {
        let mut request = request().body(()).expect("a request");
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        request.headers_mut().insert(name, HeaderValue::from_str(value).expect("a value"));
        request
    }

    #[test]
    fn the_sample_handshake_is_one() {
        let request = request().body(()).expect("a request");
        assert!(is_asked(request.headers()));
        assert!(check(&request).is_ok());
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        assert!(matches!(check(&with("connection", "close")), Err(Reject::Handshake(_))));
        assert!(matches!(check(&with("sec-websocket-version", "8")), Err(Reject::SocketVersion)));
        for key in ["", "short", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZ===", "dGhlIHNhbXBsZSBub25jZ!=="] {
            assert!(matches!(check(&with("sec-websocket-key", key)), Err(Reject::Handshake(_))), "{key}");
        }
        assert!(matches!(check(&with("content-length", "5")), Err(Reject::Handshake(_))));
        assert!(matches!(check(&with("transfer-encoding", "chunked")), Err(Reject::Handshake(_))));
        assert!(check(&with("content-length", "0")).is_ok());
        let post = request().method(Method::POST).body(()).expect("a request");
        assert!(matches!(check(&post), Err(Reject::Method("GET"))));
        let old = request().version(Version::HTTP_10).body(()).expect("a request");
        assert!(matches!(check(&old), Err(Reject::Handshake(_))));
    }

    #[test]
    fn offers_are_listed_in_order() {
        let mut request = with("sec-websocket-protocol", "chat, v2.chat");
        request.headers_mut().append("sec-websocket-protocol", HeaderValue::from_static("v3"));
        request.headers_mut().append("sec-websocket-protocol", HeaderValue::from_static(" ,, "));
        let offered = |request: &Request<()>| check(request).map(|handshake| handshake.subprotocols);
        assert_eq!(offered(&request).expect("a handshake"), ["chat", "v2.chat", "v3"]);
        for value in ["a b", "chat, {}", "\"chat\"", "a/b", "chat;q=1"] {
            let wrong = offered(&with("sec-websocket-protocol", value));
            assert!(matches!(wrong, Err(Reject::Handshake(_))), "{value}: {wrong:?}");
        }
        let bytes = HeaderValue::from_bytes(b"caf\xe9").expect("a value");
        request.headers_mut().append("sec-websocket-protocol", bytes);
        assert!(matches!(offered(&request), Err(Reject::Handshake(_))));
    }

    #[test]
    fn headers_of_a_controller() {
        assert!(header("Set-Cookie", b"a=b").is_ok());
        for (name, value) in [("a b", &b"x"[..]), ("", b"x"), ("a", b"x\r\ny: z")] {
            assert!(header(name, value).is_err(), "{name}");
        }
        let own = |name: &str| is_own(&header(name, b"x").expect("a header").0);
        assert!(own("Upgrade") && own("sec-websocket-accept") && own("Content-Length") && !own("set-cookie"));
    }
}
