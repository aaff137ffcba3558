//! The authority that a request is for: a host and a port (RFC 3986, section 3.2), as `Host`, request line, `Origin` and proxies write it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// A host, in lower case, and the port if it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authority {
    host: String,
    port: Option<u16>,
}

impl Authority {
    /// None: it is no authority, or one with a user, which no request has (RFC 9110, section 4.2.4).
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, behind) = rest.split_once(']')?;
                address.parse::<Ipv6Addr>().ok()?;
                let port = if behind.is_empty() { "" } else { behind.strip_prefix(':')? };
                (&text[..address.len() + 2], port)
            }
            None => text.split_once(':').unwrap_or((text, "")),
        };
        let port = match port {
            "" => None,
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
            _ => return None,
        };
        (host.starts_with('[') || is_name(host)).then(|| Authority { host: host.to_ascii_lowercase(), port })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The port, that of the scheme where none is written.
    pub(super) fn port(&self, secure: bool) -> u16 {
        self.port.unwrap_or(if secure { 443 } else { 80 })
    }

    /// Whether it can only mean this machine (RFC 6761, section 6.3): no page of another site can have such a name.
    pub(super) fn is_loopback(&self) -> bool {
        let bare = self.host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&self.host);
        let name = bare.strip_suffix('.').unwrap_or(bare);
        bare.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
            || name == "localhost"
            || name.ends_with(".localhost")
    }
}

impl From<SocketAddr> for Authority {
    fn from(address: SocketAddr) -> Self {
        let host = match address.ip().to_canonical() {
            IpAddr::V4(four) => four.to_string(),
            IpAddr::V6(six) => format!("[{six}]"),
        };
        Authority { host, port: Some(address.port()) }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(formatter, "{}:{port}", self.host),
            None => formatter.write_str(&self.host),
        }
    }
}

/// A name or an address of IPv4: `reg-name` of RFC 3986, section 3.2.2, and not empty (RFC 9110, section 4.2.1).
fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let escaped = byte == b'%'
            && bytes.next().is_some_and(|digit| digit.is_ascii_hexdigit())
            && bytes.next().is_some_and(|digit| digit.is_ascii_hexdigit());
        if !escaped && !allowed(byte) {
            return false;
        }
    }
    !text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports() {
        for (text, shown, port) in [
            ("example.org", "example.org", 80),
            ("Example.ORG:8080", "example.org:8080", 8080),
            ("example.org:", "example.org", 80),
            ("192.0.2.1:1", "192.0.2.1:1", 1),
            ("[::1]", "[::1]", 80),
            ("[2001:DB8::1]:65535", "[2001:db8::1]:65535", 65535),
            ("a%20b_~!", "a%20b_~!", 80),
            ("x", "x", 80),
        ] {
            let authority = Authority::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((authority.to_string().as_str(), authority.port(false)), (shown, port), "{text}");
        }
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            ":",
            ":80",
            "a b",
            "a/b",
            "a:b:c",
            "a:b",
            "a:99999",
            "a:-1",
            "a:+1",
            "[::1",
            "::1",
            "[::1]x",
            "[::1]:x",
            "[fe80::1%eth0]",
            "[v1.a]",
            "me@a",
            "a?",
            "a#",
            "a\\b",
            "a%2",
            "a%zz",
            "é",
            "[]",
            "a\t",
        ] {
            assert!(Authority::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn this_machine() {
        for text in
            ["localhost", "LocalHost:8000", "app.localhost", "localhost.", "127.0.0.1:1", "127.9.9.9", "[::1]:8"]
        {
            assert!(Authority::parse(text).is_some_and(|authority| authority.is_loopback()), "{text}");
        }
        for text in ["example.org", "localhost.example.org", "mylocalhost", "10.0.0.1", "[::2]", "127.0.0.1.nip.io"] {
            assert!(Authority::parse(text).is_some_and(|authority| !authority.is_loopback()), "{text}");
        }
        assert!(Authority::from(SocketAddr::from(([127, 0, 0, 1], 80))).is_loopback());
    }
}
