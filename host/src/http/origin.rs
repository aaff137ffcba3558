//! Which pages may connect. Browsers let any page open a WebSocket to any host and send the user's cookies along, so the
//! server has to look at the `origin` header (RFC 6455, section 10.2). A client that is no browser sends none.

use http::header::{HOST, HeaderMap, ORIGIN};

use super::reject::Reject;
use crate::config::without_default_port;

/// Lets in pages of the request's own host and of the listed origins.
pub(super) fn check(headers: &HeaderMap, allowed: &[String]) -> Result<(), Reject> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let rejected = || Reject::Origin(String::from_utf8_lossy(origin.as_bytes()).into_owned());
    if allowed.iter().any(|allowed| allowed == "*") {
        return Ok(());
    }
    let origin = origin.to_str().map_err(|_| rejected())?;
    if allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)) {
        return Ok(());
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    match (origin.split_once("://"), host) {
        (Some((scheme, authority)), Some(host))
            if without_default_port(scheme, authority).eq_ignore_ascii_case(without_default_port(scheme, host)) =>
        {
            Ok(())
        }
        _ => Err(rejected()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(host: &'static str, origin: Option<&'static str>, allowed: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, http::HeaderValue::from_static(host));
        if let Some(origin) = origin {
            headers.insert(ORIGIN, http::HeaderValue::from_static(origin));
        }
        check(&headers, &allowed.iter().map(ToString::to_string).collect::<Vec<_>>()).is_ok()
    }

    #[test]
    fn own_host_listed_or_no_browser() {
        assert!(is_allowed("example.org", None, &[]));
        assert!(is_allowed("example.org", Some("https://example.org"), &[]));
        assert!(is_allowed("Example.org:443", Some("https://example.org"), &[]));
        assert!(is_allowed("localhost:8000", Some("http://localhost:8000"), &[]));
        assert!(is_allowed("example.org", Some("https://app.example"), &["https://app.example"]));
        assert!(is_allowed("example.org", Some("null"), &["*"]));
    }

    #[test]
    fn all_others_are_rejected() {
        for origin in
            ["https://evil.example", "null", "https://example.org.evil.example", "http://example.org:8000", ""]
        {
            assert!(!is_allowed("example.org", Some(origin), &["https://app.example"]), "{origin}");
        }
        assert!(!is_allowed("localhost:8000", Some("http://localhost:9000"), &[]));
    }
}
