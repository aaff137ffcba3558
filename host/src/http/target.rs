//! Which scheme and authority a request is for. A trusted proxy's word counts before the request line, and that before `Host`
//! (RFC 9112, section 3.2.2); what is found is what the guest sees, as the one `Host` of the request.

use http::header::{HOST, HeaderValue};
use http::uri::PathAndQuery;
use http::{Request, Uri, Version};

use super::Client;
use super::authority::Authority;
use super::forwarded::Forwarded;
use super::reject::Reject;

/// What a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Whether the client speaks TLS, to this server or to a trusted proxy.
    pub(super) secure: bool,
    pub(super) authority: Authority,
    /// Whether the request itself says so; of HTTP/1.0 some do not, and mean the address that they have reached.
    pub(super) named: bool,
}

impl Target {
    /// Reads the target, and makes the request say the same in one way: by `Host`, and a request line with a path.
    pub(super) fn of<B>(request: &mut Request<B>, client: &Client, forwarded: &Forwarded) -> Result<Self, Reject> {
        let mut hosts = request.headers().get_all(HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => Some(parse(host)?),
            (None, None) if request.version() < Version::HTTP_11 => None,
            _ => return Err(Reject::Host),
        };
        let line = request.uri().authority().map(|authority| Authority::parse(authority.as_str()).ok_or(Reject::Host));
        let named = forwarded.host.clone().or(line.transpose()?).or(host);
        let target = Target {
            secure: forwarded.secure,
            named: named.is_some(),
            authority: named.unwrap_or_else(|| client.local.into()),
        };
        let value = HeaderValue::try_from(target.authority.to_string()).map_err(|_| Reject::Host)?;
        request.headers_mut().insert(HOST, value);
        if request.uri().authority().is_some() && request.uri().scheme().is_some() {
            let path = request.uri().path_and_query().cloned();
            *request.uri_mut() = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
        }
        Ok(target)
    }

    /// As an origin is written.
    pub(super) fn origin(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.authority)
    }
}

fn parse(host: &HeaderValue) -> Result<Authority, Reject> {
    host.to_str().ok().and_then(Authority::parse).ok_or(Reject::Host)
}
