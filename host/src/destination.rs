//! What a controller may reach outside, as an operator lists it: scheme, host and port, and which addresses a name may stand
//! for. Names are judged here, and so is each address that a name turns out to have; resolving and connecting is left to
//! `outbound`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use self::address::Kind;

mod address;

/// What an operator is told about an entry that is none.
const WANTED: &str = "wanted is scheme, host and port, like https://api.example.org, https://*.example.net:8443, \
    wss://feed.example.org, http://127.0.0.1:9000 or `http://backend:8080 private`";

/// One entry of a list of what may be reached.
///
/// `https://api.example.org` is one host, `https://*.example.org` are all below it, `https://*` are all; a port that is not
/// written is that of the scheme, `:*` is any. A host that is listed by name, or by a wildcard, is reached at public
/// addresses only. What is not public is reached
///
/// - at the very address that is listed: `http://127.0.0.1:9000`;
/// - by a name whose entry says so: `http://backend:8080 private`, `http://proxy:9000 loopback`, or both words;
/// - by the name `localhost`, which means the loopback address and nothing else (RFC 6761, section 6.3).
///
/// Link-local addresses, where clouds keep their metadata, are reached only if they are listed themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    scheme: Scheme,
    host: Pattern,
    /// None: any.
    port: Option<u16>,
    loopback: bool,
    private: bool,
}

/// How is spoken to what is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
    Ws,
    Wss,
}

/// Where somebody wants to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) scheme: Scheme,
    pub(crate) host: Host,
    pub(crate) port: u16,
}

/// A host as it is asked for. An address is one only in its usual spelling: what else a resolver may take for an address
/// (`2130706433`, `0x7f.1`) is a name here, and is judged by what it resolves to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    Address(IpAddr),
    /// In lower case, without the dot of the root.
    Name(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    One(Host),
    /// All names that end like this, the dot before it included.
    Below(String),
    All,
}

impl Destination {
    pub(crate) fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whether the entry is about this target. Where the target turns out to be is another question.
    pub(crate) fn names(&self, target: &Target) -> bool {
        let host = match (&self.host, &target.host) {
            (Pattern::One(listed), asked) => listed == asked,
            (Pattern::Below(end), Host::Name(name)) => name.len() > end.len() && name.ends_with(end),
            (Pattern::Below(_), Host::Address(_)) => false,
            (Pattern::All, _) => true,
        };
        host && self.scheme == target.scheme && self.port.is_none_or(|port| port == target.port)
    }

    /// Whether a target that the entry names may be reached at this address.
    pub(crate) fn allows(&self, address: IpAddr) -> bool {
        if let Pattern::One(Host::Address(listed)) = self.host {
            return listed == address;
        }
        match address::kind(address) {
            Kind::Public => true,
            Kind::Loopback => self.loopback,
            Kind::Private => self.private,
            Kind::Other => false,
        }
    }
}

impl Scheme {
    pub(crate) fn port(self) -> u16 {
        match self {
            Scheme::Http | Scheme::Ws => 80,
            Scheme::Https | Scheme::Wss => 443,
        }
    }

    pub(crate) fn is_secure(self) -> bool {
        matches!(self, Scheme::Https | Scheme::Wss)
    }

    pub(crate) fn is_websocket(self) -> bool {
        matches!(self, Scheme::Ws | Scheme::Wss)
    }

    pub(crate) fn of(text: &str) -> Option<Self> {
        match text {
            "http" => Some(Scheme::Http),
            "https" => Some(Scheme::Https),
            "ws" => Some(Scheme::Ws),
            "wss" => Some(Scheme::Wss),
            _ => None,
        }
    }
}

impl Host {
    /// A host as it stands in a URL, an IPv6 address in its brackets.
    pub(crate) fn of(text: &str) -> Option<Self> {
        if let Some(inside) = text.strip_prefix('[') {
            let address = inside.strip_suffix(']')?.parse().ok()?;
            return Some(Host::Address(IpAddr::V6(address)));
        }
        if let Ok(address) = text.parse() {
            return Some(Host::Address(IpAddr::V4(address)));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_name = (1..=253).contains(&name.len()) && name.chars().all(fits) && !name.starts_with('.');
        is_name.then_some(Host::Name(name))
    }
}

impl Target {
    /// Where a URI wants to go; none: it does not say so, or says more than that.
    pub(crate) fn of(uri: &http::Uri) -> Option<Self> {
        let scheme = Scheme::of(uri.scheme_str()?)?;
        let authority = uri.authority()?;
        // A name and a password there would go nowhere; those who look at the beginning only would take them for the host.
        if authority.as_str().contains('@') {
            return None;
        }
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            // A colon with something behind it that is no port, or with nothing.
            None if authority.as_str() != authority.host() => return None,
            None => scheme.port(),
        };
        Some(Target { scheme, host: Host::of(authority.host())?, port })
    }

    /// Host and port, as they stand in the header `host`.
    pub(crate) fn authority(&self) -> String {
        let text = self.to_string();
        text.split_once("://").map(|(_, authority)| authority.to_owned()).unwrap_or_default()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", self.scheme, self.host)?;
        if self.port == self.scheme.port() { Ok(()) } else { write!(formatter, ":{}", self.port) }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
            Scheme::Ws => "ws",
            Scheme::Wss => "wss",
        })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Address(IpAddr::V6(address)) => write!(formatter, "[{address}]"),
            Host::Address(address) => address.fmt(formatter),
            Host::Name(name) => name.fmt(formatter),
        }
    }
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("{text:?} is no destination; {WANTED}");
        let mut words = text.split_whitespace();
        let url = words.next().ok_or_else(wrong)?;
        let (mut loopback, mut private) = (false, false);
        for word in words {
            match word {
                "loopback" => loopback = true,
                "private" => private = true,
                _ => return Err(wrong()),
            }
        }
        let (scheme, authority) = url.split_once("://").ok_or_else(wrong)?;
        let scheme = Scheme::of(scheme).ok_or_else(wrong)?;
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        // The last colon is that of the port, unless it is inside of the brackets of an IPv6 address.
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let port = match port {
            None => Some(scheme.port()),
            Some("*") => None,
            Some(port) => Some(port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?),
        };
        let host = match host.strip_prefix("*.") {
            _ if host == "*" => Pattern::All,
            Some(end) => match Host::of(end) {
                Some(Host::Name(end)) => Pattern::Below(format!(".{end}")),
                _ => return Err(wrong()),
            },
            None => Pattern::One(Host::of(host).ok_or_else(wrong)?),
        };
        if let Pattern::One(Host::Address(address)) = host {
            if loopback || private {
                return Err(format!("{text:?}: an address needs no word behind it"));
            }
            if !address::can_be_dialled(address) {
                return Err(format!("{text:?}: nobody can be reached at this address"));
            }
        }
        loopback |= host == Pattern::One(Host::Name("localhost".into()));
        Ok(Destination { scheme, host, port, loopback, private })
    }
}

#[cfg(test)]
mod tests;
