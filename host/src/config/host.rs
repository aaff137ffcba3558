//! The names that a server answers to.

use std::str::FromStr;

/// An entry of `hosts`: a name or an address, or all names below one, on one port or on any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    /// In lower case; of a pattern what follows the star, with its dot.
    name: String,
    below: bool,
    port: Option<u16>,
}

impl HostPattern {
    /// Whether a host, in lower case, on this port is meant.
    pub(crate) fn matches(&self, host: &str, port: u16) -> bool {
        let named =
            if self.below { host.len() > self.name.len() && host.ends_with(&self.name) } else { host == self.name };
        named && self.port.is_none_or(|own| own == port)
    }
}

impl FromStr for HostPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?}; a host is like example.org, *.example.org, 192.0.2.1:8000 or [::1]");
        let bracketed = text.starts_with('[').then(|| text.find(']').map(|end| text.split_at(end + 1))).flatten();
        let (name, port) = match bracketed {
            Some((name, "")) => (name, None),
            Some((name, behind)) => (name, Some(behind.strip_prefix(':').ok_or_else(wrong)?)),
            None => text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port))),
        };
        let port = port.map(|port| port.parse().map_err(|_| wrong())).transpose()?;
        let (name, below) = name.strip_prefix('*').map_or((name, false), |rest| (rest, true));
        let bare = if below { name.strip_prefix('.').ok_or_else(wrong)? } else { name };
        let is_name = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        };
        let is_address = |text: &str| {
            let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
            inside.is_some_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok())
        };
        if !is_name(bare) && (below || !is_address(bare)) {
            return Err(wrong());
        }
        Ok(HostPattern { name: name.to_ascii_lowercase(), below, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_addresses_and_what_lies_below() {
        let matches = |pattern: &str, host: &str, port: u16| {
            pattern.parse::<HostPattern>().unwrap_or_else(|wrong| panic!("{wrong}")).matches(host, port)
        };
        assert!(matches("Example.org", "example.org", 8000) && matches("example.org:80", "example.org", 80));
        assert!(!matches("example.org:80", "example.org", 81) && !matches("example.org", "a.example.org", 80));
        assert!(matches("*.example.org", "a.b.example.org", 80) && !matches("*.example.org", "example.org", 80));
        assert!(!matches("*.example.org", "evilexample.org", 80));
        assert!(matches("[::1]:8000", "[::1]", 8000) && matches("192.0.2.1", "192.0.2.1", 80));
    }

    #[test]
    fn what_is_none() {
        for text in
            ["", "*", "*example.org", "https://example.org", "a b", "a:b", "a/b", "[::1", "[x]", "*.[::1]", "a:99999"]
        {
            assert!(text.parse::<HostPattern>().is_err(), "{text}");
        }
    }
}
