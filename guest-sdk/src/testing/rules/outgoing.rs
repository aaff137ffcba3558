//! What the real host checks of what goes to servers elsewhere: plain requests, and the handshakes of WebSockets.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Uri};

use super::{check, is_token};
use crate::connect::ConnectOptions;
use crate::fault::{Fault, Result};

/// The body of an answer is not larger, in bytes.
const LARGEST_BODY: usize = 8 << 20;
/// The header fields of a request are not larger together, as the host counts them, in bytes.
const LARGEST_FIELDS: usize = 64 * 1024;
/// Longer names of methods are invalid, in bytes.
const LONGEST_METHOD: usize = 64;
/// A URL to connect to is not longer, nor are the header fields together, nor the parameters, in bytes.
const LARGEST_HEAD: usize = 16 * 1024;
/// So many parameters are handed on.
const MOST_PARAMS: usize = 128;
/// So many connections to servers elsewhere has a controller.
const MOST_OUTWARD: usize = 64;

/// Fields that are about the connection and not the request, and so the host's.
const FORBIDDEN: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
    "host",
    "http2-settings",
];

pub(in crate::testing) fn request(request: &http::Request<Vec<u8>>) -> Result {
    let (uri, fields) = (request.uri(), request.headers());
    for name in fields.keys() {
        let forbidden = FORBIDDEN.contains(&name.as_str());
        check(!forbidden, &format!("the request: the header field `{name}` is the host's to set"))?;
    }
    check(size(fields) <= LARGEST_FIELDS, "the request: its header fields have over 64 KiB")?;
    let mut lengths = fields.get_all(header::CONTENT_LENGTH).iter();
    let is_number = |value: &HeaderValue| !value.is_empty() && value.as_bytes().iter().all(u8::is_ascii_digit);
    check(lengths.next().is_none_or(is_number) && lengths.next().is_none(), "the request: its `content-length`")?;
    check(request.method().as_str().len() <= LONGEST_METHOD, "the request: its method")?;
    check(
        matches!(uri.scheme_str(), Some("http" | "https")),
        "the request: its URI begins with neither http:// nor https://",
    )?;
    check(names_host(uri), "the request: its URI names no host, or a user beside it")
}

/// The host counts what a field takes in memory, so that empty ones have a size, too.
fn size(fields: &HeaderMap) -> usize {
    let names: usize = fields.keys().map(|name| name.as_str().len() + size_of::<HeaderName>()).sum();
    names + fields.values().map(|value| value.len() + size_of::<HeaderValue>()).sum::<usize>()
}

/// What a controller gets of an answer: all of it, or nothing.
pub(in crate::testing) fn answer(answer: &http::Response<Vec<u8>>) -> Result {
    if answer.body().len() <= LARGEST_BODY { Ok(()) } else { Err(Fault::TooLarge) }
}

/// Whether it is a URL, and header fields, that a connection can be opened with.
pub(in crate::testing) fn connect(url: &str, options: &ConnectOptions) -> Result {
    let ConnectOptions { subprotocols, headers, params, .. } = options;
    let handed_on: usize = params.iter().map(|(name, value)| name.len() + value.len()).sum();
    check(
        params.len() <= MOST_PARAMS && handed_on <= LARGEST_HEAD,
        "there are at most 128 parameters, of 16384 bytes in all",
    )?;
    let fields: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    let offered: usize = subprotocols.iter().map(String::len).sum();
    check(
        url.len() <= LARGEST_HEAD && fields + offered <= LARGEST_HEAD,
        "a URL, and the header fields in all, have at most 16384 bytes",
    )?;
    let uri: Option<Uri> = url.parse().ok().filter(|_| !url.contains('#'));
    let is_websocket = |uri: Uri| matches!(uri.scheme_str(), Some("ws" | "wss")) && names_host(&uri);
    check(uri.is_some_and(is_websocket), "no URL to connect to: ws:// or wss://, a host and a path are wanted")?;
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok();
        check(name.is_some() && HeaderValue::from_bytes(value).is_ok(), "a header that can not be sent")?;
        let own = ["host", "connection", "upgrade", "content-length", "transfer-encoding"];
        let is_own = |name: &str| own.contains(&name) || name.starts_with("sec-websocket-");
        check(!name.is_some_and(|name| is_own(name.as_str())), "a header that is the host's to set")?;
    }
    check(
        subprotocols.iter().all(|text| is_token(text)),
        "a subprotocol is a word of letters, digits and !#$%&'*+-.^_`|~",
    )
}

/// Whether a controller with so many connections to servers may have one more.
pub(in crate::testing) fn outward(open: usize) -> Result {
    if open < MOST_OUTWARD {
        return Ok(());
    }
    Err(Fault::Unavailable(format!("the controller has its {MOST_OUTWARD} connections to other servers already")))
}

/// Whether a URI says where it leads, and nothing beside that.
fn names_host(uri: &Uri) -> bool {
    let Some(authority) = uri.authority() else { return false };
    // A colon with something behind it that is no port, or with nothing, is a part of neither.
    let is_whole = authority.port_u16().is_some() || authority.as_str() == authority.host();
    is_whole && !authority.as_str().contains('@') && is_host(authority.host())
}

fn is_host(text: &str) -> bool {
    if let Some(inside) = text.strip_prefix('[') {
        return inside.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_name = (1..=253).contains(&name.len()) && name.chars().all(fits) && !name.starts_with('.');
    is_name || text.parse::<Ipv4Addr>().is_ok()
}
