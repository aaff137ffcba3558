//! The address of the client behind trusted proxies. Each proxy adds the address that it was asked from at the right end of a header
//! field; what stands left of the first address that is no proxy's may be anybody's invention.

use std::net::{IpAddr, SocketAddr};

use http::header::{FORWARDED, HeaderMap, HeaderName};

use super::authority::Authority;
use crate::clients::Visitor;
use crate::config::ForwardedHeader;

/// What a trusted proxy says of the request that it passes on, beside who has sent it.
#[derive(Debug, Default)]
pub(super) struct Forwarded {
    /// Whom the client has asked.
    pub(super) host: Option<Authority>,
    /// Whether the client speaks TLS to it.
    pub(super) secure: bool,
}

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What the proxy nearest to this server says: the rightmost value, before which others may have written anything. What is no
/// host, or no scheme, says nothing.
pub(super) fn request(headers: &HeaderMap, proxy: &Visitor) -> Forwarded {
    let last = |name: &HeaderName| {
        let field = headers.get_all(name).iter().next_back()?.to_str().ok()?;
        Some(field.rsplit(',').next()?.trim().to_owned())
    };
    let (host, proto) = match proxy.clients().settings().forwarded_header {
        ForwardedHeader::XForwardedFor => (last(&X_FORWARDED_HOST), last(&X_FORWARDED_PROTO)),
        ForwardedHeader::Forwarded => {
            let element = last(&FORWARDED).unwrap_or_default();
            (parameter(&element, "host"), parameter(&element, "proto"))
        }
    };
    Forwarded {
        host: host.as_deref().and_then(Authority::parse),
        secure: proto.is_some_and(|proto| ["https", "wss"].iter().any(|secure| proto.eq_ignore_ascii_case(secure))),
    }
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Addresses that are looked at: more proxies than this stand in no row.
const HOPS: usize = 32;

/// The rightmost address that is no proxy's; the last proxy that is known, where it does not name a client. Without a port
/// it has port 0.
pub(super) fn client(headers: &HeaderMap, proxy: &Visitor) -> Visitor {
    let (name, read): (_, fn(&str) -> Option<SocketAddr>) = match proxy.clients().settings().forwarded_header {
        ForwardedHeader::XForwardedFor => (X_FORWARDED_FOR, node),
        ForwardedHeader::Forwarded => (FORWARDED, element),
    };
    // Several fields of a name are one list (RFC 9110, section 5.3). What is no text ends the search, but only where it stands:
    // a client may have sent it, and what a proxy has put behind it counts.
    let fields = headers.get_all(name).iter().rev().map(http::HeaderValue::as_bytes);
    let mut last = proxy.clone();
    for hop in fields.flat_map(|field| field.rsplit(|byte| *byte == b',')).take(HOPS) {
        let Some(address) = str::from_utf8(hop).ok().and_then(|hop| read(hop.trim())) else { break };
        last = proxy.clients().visitor(address);
        if !last.is_proxy() {
            break;
        }
    }
    last
}

/// The `for` of one element of `forwarded` (RFC 7239, section 4).
fn element(text: &str) -> Option<SocketAddr> {
    node(&parameter(text, "for")?)
}

/// A parameter of one element of `forwarded`, if it is there once. A quoted comma would have cut the element in two, but no
/// address, host or scheme has one.
fn parameter(text: &str, name: &str) -> Option<String> {
    let pairs = text.split(';').filter_map(|pair| pair.split_once('='));
    let mut named = pairs.filter(|(other, _)| other.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
    let (Some(value), None) = (named.next(), named.next()) else { return None };
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    Some(quoted.unwrap_or(value).to_owned())
}

/// An address, alone or with a port; one of IPv6 may be in brackets. Not `unknown`, nor a made-up name like `_secret`.
fn node(text: &str) -> Option<SocketAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse::<IpAddr>().map(|address| SocketAddr::new(address, 0)).or_else(|_| text.parse()).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::HeaderValue;

    use super::*;
    use crate::clients::Clients;
    use crate::config::Config;
    use crate::metrics::Metrics;

    fn client_of(header: ForwardedHeader, fields: &[(&'static str, &'static str)]) -> String {
        let trusted_proxies = ["10.0.0.0/8", "fd00::/8"].map(|text| text.parse().expect("a network")).to_vec();
        let config = Config { trusted_proxies, forwarded_header: header, ..Config::default() };
        let clients = Clients::new(Arc::new(config), Arc::new(Metrics::default()));
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let proxy = clients.visitor(SocketAddr::from(([10, 0, 0, 1], 9)));
        client(&headers, &proxy).address().to_string()
    }

    fn x(value: &'static str) -> String {
        client_of(ForwardedHeader::XForwardedFor, &[("x-forwarded-for", value)])
    }

    #[test]
    fn the_rightmost_that_is_no_proxy() {
        assert_eq!(x("192.0.2.1"), "192.0.2.1:0");
        assert_eq!(x("6.6.6.6, 192.0.2.1"), "192.0.2.1:0");
        assert_eq!(x("6.6.6.6,192.0.2.1 , 10.2.2.2,10.3.3.3"), "192.0.2.1:0");
        assert_eq!(x("192.0.2.1:5555"), "192.0.2.1:5555");
        assert_eq!(x("[2001:db8::1]:5555, fd00::1"), "[2001:db8::1]:5555");
        assert_eq!(x("2001:db8::1, [fd00::1]"), "[2001:db8::1]:0");
        assert_eq!(x("::ffff:192.0.2.1, ::ffff:10.0.0.9"), "192.0.2.1:0");
    }

    #[test]
    fn what_is_not_named_is_the_last_proxy() {
        assert_eq!(x("10.2.2.2"), "10.2.2.2:0");
        assert_eq!(client_of(ForwardedHeader::XForwardedFor, &[]), "10.0.0.1:9");
        for nonsense in ["", "unknown", "192.0.2.1, ", "192.0.2.1 10.0.0.1", "192.0.2.1, evil", "[192.0.2.1"] {
            assert_eq!(x(nonsense), "10.0.0.1:9", "{nonsense}");
        }
        assert_eq!(x("192.0.2.1, unknown, 10.2.2.2"), "10.2.2.2:0");
    }

    #[test]
    fn several_fields_are_one_list() {
        let fields = [("x-forwarded-for", "6.6.6.6, 192.0.2.1"), ("x-forwarded-for", "10.2.2.2")];
        assert_eq!(client_of(ForwardedHeader::XForwardedFor, &fields), "192.0.2.1:0");
    }

    #[test]
    fn forwarded_as_its_rfc_writes_it() {
        let forwarded = |value| client_of(ForwardedHeader::Forwarded, &[("forwarded", value)]);
        assert_eq!(forwarded("for=192.0.2.60;proto=http;by=203.0.113.43"), "192.0.2.60:0");
        assert_eq!(forwarded("For=\"[2001:db8:cafe::17]:4711\""), "[2001:db8:cafe::17]:4711");
        assert_eq!(forwarded("for=6.6.6.6, for=192.0.2.43, for=10.1.1.1;host=x"), "192.0.2.43:0");
        assert_eq!(forwarded("for=192.0.2.43, for=unknown"), "10.0.0.1:9");
        assert_eq!(forwarded("for=192.0.2.43, for=_hidden"), "10.0.0.1:9");
        assert_eq!(forwarded("for=192.0.2.1;for=192.0.2.2"), "10.0.0.1:9");
        assert_eq!(forwarded("by=192.0.2.1"), "10.0.0.1:9");
    }

    #[test]
    fn the_nearest_proxy_says_what_was_asked_for() {
        let said = |header: ForwardedHeader, fields: &[(&'static str, &'static str)]| {
            let config = Config { forwarded_header: header, ..Config::default() };
            let clients = Clients::new(Arc::new(config), Arc::new(Metrics::default()));
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.append(*name, HeaderValue::from_static(value));
            }
            let proxy = clients.visitor(SocketAddr::from(([10, 0, 0, 1], 9)));
            let Forwarded { host, secure } = request(&headers, &proxy);
            (host.map(|host| host.to_string()), secure)
        };
        let x = |fields: &[_]| said(ForwardedHeader::XForwardedFor, fields);
        assert_eq!(x(&[]), (None, false));
        let fields = [("x-forwarded-host", "evil.example, app.example:8443"), ("x-forwarded-proto", "http, HTTPS")];
        assert_eq!(x(&fields), (Some("app.example:8443".into()), true));
        assert_eq!(x(&[("x-forwarded-host", "no host"), ("x-forwarded-proto", "gopher")]), (None, false));
        let forwarded =
            [("forwarded", "for=6.6.6.6;host=evil.example, for=192.0.2.1;Proto=https;host=\"app.example:1\"")];
        assert_eq!(said(ForwardedHeader::Forwarded, &forwarded), (Some("app.example:1".into()), true));
        assert_eq!(x(&forwarded), (None, false));
    }

    #[test]
    fn only_one_of_the_two_counts() {
        let both = [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=6.6.6.6")];
        assert_eq!(client_of(ForwardedHeader::XForwardedFor, &both), "192.0.2.1:0");
        assert_eq!(client_of(ForwardedHeader::Forwarded, &both), "6.6.6.6:0");
    }

    #[test]
    fn what_a_client_sends_does_not_hide_what_a_proxy_adds() {
        let trusted_proxies = vec!["10.0.0.0/8".parse().expect("a network")];
        let config = Config { trusted_proxies, ..Config::default() };
        let clients = Clients::new(Arc::new(config), Arc::new(Metrics::default()));
        let mut headers = HeaderMap::new();
        headers.insert(X_FORWARDED_FOR, HeaderValue::from_bytes(b"\xff, 192.0.2.1").expect("a value"));
        let proxy = clients.visitor("10.0.0.1:9".parse().expect("an address"));
        assert_eq!(client(&headers, &proxy).address().to_string(), "192.0.2.1:0");
    }
}
