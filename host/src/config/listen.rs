//! Where to listen, in the forms that people type. What a name stands for is looked up when the listener is opened, so that
//! reading a configuration asks nobody.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListenAddress {
    /// An address and a port; port 0 lets the system choose one.
    Address(SocketAddr),
    /// A name that the system resolves, and a port.
    Name {
        /// The name, such as `localhost`.
        name: String,
        /// The port.
        port: u16,
    },
}

impl ListenAddress {
    /// The port that was asked for.
    #[must_use]
    pub fn port(&self) -> u16 {
        match self {
            ListenAddress::Address(address) => address.port(),
            ListenAddress::Name { port, .. } => *port,
        }
    }

    /// The one address to listen on: of those that a name has, the first of IPv4, because that is what proxies and scripts
    /// mean by `localhost`, or else the first.
    pub(crate) async fn resolve(&self) -> std::io::Result<SocketAddr> {
        let (name, port) = match self {
            ListenAddress::Address(address) => return Ok(*address),
            ListenAddress::Name { name, port } => (name.as_str(), *port),
        };
        let addresses: Vec<SocketAddr> = tokio::net::lookup_host((name, port)).await?.collect();
        let chosen = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
        chosen.copied().ok_or_else(|| std::io::Error::other("the name has no address"))
    }
}

impl From<SocketAddr> for ListenAddress {
    fn from(address: SocketAddr) -> Self {
        ListenAddress::Address(address)
    }
}

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "is {text:?}; an address and a port are wanted, like 127.0.0.1:8000, [::1]:8000, localhost:8000, \
                 :8000 for all addresses of this machine, or 8000 for this machine alone"
            )
        };
        if let Ok(address) = text.parse() {
            return Ok(ListenAddress::Address(address));
        }
        let (name, port) = text.rsplit_once(':').map_or((None, text), |(name, port)| (Some(name), port));
        // As a number alone: `parse` would take a sign, too.
        let port = port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse().ok()).flatten();
        let port: u16 = port.ok_or_else(wrong)?;
        match name {
            // The part that is left out is that of the default.
            None => Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()),
            Some("") => Ok(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)).into()),
            Some("*") => Ok(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)).into()),
            Some(name) if is_name(name) => Ok(ListenAddress::Name { name: name.to_owned(), port }),
            Some(_) => Err(wrong()),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListenAddress::Address(address) => write!(formatter, "{address}"),
            ListenAddress::Name { name, port } => write!(formatter, "{name}:{port}"),
        }
    }
}

/// Whether it can be the name of a host; one of digits and dots alone is an address that went wrong.
fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.len() <= 253 && text.chars().all(allowed) && text.contains(|c: char| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type() {
        for (text, meant) in [
            ("127.0.0.1:8000", "127.0.0.1:8000"),
            ("[::1]:8000", "[::1]:8000"),
            ("0.0.0.0:0", "0.0.0.0:0"),
            ("8000", "127.0.0.1:8000"),
            (":8000", "[::]:8000"),
            ("*:8000", "[::]:8000"),
            ("localhost:8000", "localhost:8000"),
            ("web-1.internal:80", "web-1.internal:80"),
        ] {
            let address: ListenAddress = text.parse().expect("an address");
            assert_eq!(address.to_string(), meant, "{text}");
        }
    }

    #[test]
    fn what_is_no_address() {
        for text in [
            "",
            ":",
            "here",
            "localhost",
            "localhost:",
            "localhost:http",
            "localhost:65536",
            "+80",
            ":-1",
            "::1:8000",
            "127.0.0:80",
            "256.0.0.1:80",
            "http://localhost:8000",
            "localhost:80/",
            "a b:80",
            "[::1]",
            "é:80",
        ] {
            let wrong = text.parse::<ListenAddress>().unwrap_err();
            assert!(wrong.contains("127.0.0.1:8000"), "{text}: {wrong}");
        }
    }

    #[tokio::test]
    async fn a_name_is_listened_on_at_its_ipv4_address() {
        let address: ListenAddress = "localhost:0".parse().expect("an address");
        assert_eq!(address.resolve().await.expect("every system knows it").to_string(), "127.0.0.1:0");
    }
}
