//! Which pages may connect. Browsers let any page open a WebSocket to any host and send the user's cookies along, so the
//! server has to look at the `origin` header (RFC 6455, section 10.2). A client that is no browser sends none.

use http::header::{HeaderMap, ORIGIN};

use super::authority::Authority;
use super::reject::Reject;
use super::target::Target;

/// Lets in pages of the request's own scheme, host and port, and of the listed origins. `is_own` says whether the host is this
/// server's: a page whose name is made to resolve to this address has the same host in both fields.
pub(super) fn check(headers: &HeaderMap, target: &Target, is_own: bool, allowed: &[String]) -> Result<(), Reject> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let Some(origin) = origins.next() else { return Ok(()) };
    let rejected = |why| Reject::Origin {
        origin: String::from_utf8_lossy(origin.as_bytes()).into_owned(),
        target: target.origin(),
        why,
    };
    if origins.next().is_some() {
        return Err(rejected("there are two of them"));
    }
    if allowed.iter().any(|allowed| allowed == "*") {
        return Ok(());
    }
    let foreign = || {
        rejected(
            "it is neither in `origins` nor that of the request; a proxy has to pass the host (nginx: proxy_set_header Host \
             $host) and, where it ends TLS, to be in `trusted-proxies` and set x-forwarded-proto",
        )
    };
    let origin = origin.to_str().map_err(|_| foreign())?;
    if allowed.iter().any(|allowed| is_listed(origin, allowed)) {
        return Ok(());
    }
    let (scheme, authority) = origin.split_once("://").ok_or_else(foreign)?;
    let secure = scheme.eq_ignore_ascii_case("https");
    let authority = Authority::parse(authority).ok_or_else(foreign)?;
    let is_same = (secure || scheme.eq_ignore_ascii_case("http"))
        && secure == target.secure
        && authority.host() == target.authority.host()
        && authority.port(secure) == target.authority.port(secure);
    match (is_same, is_own) {
        (true, true) => Ok(()),
        (true, false) => Err(rejected("its host is not one that this server answers to: list it in `hosts`")),
        (false, _) => Err(foreign()),
    }
}

/// `https://*.example.org` is every origin below that name, and no other.
fn is_listed(origin: &str, allowed: &str) -> bool {
    let Some((scheme, below)) = allowed.split_once("://*") else { return allowed.eq_ignore_ascii_case(origin) };
    let Some((its_scheme, host)) = origin.split_once("://") else { return false };
    // `below` begins with its dot, and what stands before it is one name or more.
    let (host, below) = (host.to_ascii_lowercase(), below.to_ascii_lowercase());
    its_scheme.eq_ignore_ascii_case(scheme) && host.len() > below.len() && host.ends_with(&below)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        let (scheme, authority) = text.split_once("://").expect("an origin");
        let authority = Authority::parse(authority).expect("an authority");
        Target { secure: scheme == "https", authority, named: true }
    }

    fn is_allowed(for_: &str, origins: &[&'static str], allowed: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for origin in origins {
            headers.append(ORIGIN, http::HeaderValue::from_static(origin));
        }
        check(&headers, &target(for_), true, &allowed.iter().map(ToString::to_string).collect::<Vec<_>>()).is_ok()
    }

    #[test]
    fn own_host_listed_or_no_browser() {
        assert!(is_allowed("http://example.org", &[], &[]));
        assert!(is_allowed("https://example.org", &["https://example.org"], &[]));
        assert!(is_allowed("https://Example.org:443", &["https://example.org"], &[]));
        assert!(is_allowed("http://localhost:8000", &["http://localhost:8000"], &[]));
        assert!(is_allowed("http://example.org", &["https://app.example"], &["https://app.example"]));
        assert!(is_allowed("http://example.org", &["null"], &["*"]));
    }

    #[test]
    fn all_others_are_rejected() {
        for origin in [
            "https://evil.example",
            "null",
            "https://example.org.evil.example",
            "https://example.org:8000",
            "",
            "http://example.org",
            "ftp://example.org",
            "https://example.org/",
        ] {
            assert!(!is_allowed("https://example.org", &[origin], &["https://app.example"]), "{origin}");
        }
        assert!(!is_allowed("http://localhost:8000", &["http://localhost:9000"], &[]));
        assert!(!is_allowed("http://a", &["http://a", "http://a"], &["*"]), "two of them");
    }

    #[test]
    fn a_star_is_what_lies_below_a_name() {
        let allowed = &["https://*.example.org", "http://*.test:8000"];
        for origin in ["https://app.example.org", "https://a.b.Example.org", "http://x.test:8000"] {
            assert!(is_allowed("http://h", &[origin], allowed), "{origin}");
        }
        for origin in [
            "https://example.org",
            "https://.example.org",
            "http://app.example.org",
            "https://app.example.org:8443",
            "https://evilexample.org",
            "https://app.example.org.evil.example",
            "http://x.test",
        ] {
            assert!(!is_allowed("http://h", &[origin], allowed), "{origin}");
        }
    }

    #[test]
    fn a_host_that_is_not_this_servers_is_nobodys_own() {
        let mut headers = HeaderMap::new();
        headers.append(ORIGIN, http::HeaderValue::from_static("http://rebound.example:8000"));
        let rejected = check(&headers, &target("http://rebound.example:8000"), false, &[]);
        assert!(matches!(rejected, Err(Reject::Origin { why, .. }) if why.contains("`hosts`")));
        assert!(check(&headers, &target("http://h"), false, &["http://rebound.example:8000".into()]).is_ok());
    }
}
