//! Reading one value. Each function's error says what was given and what is allowed.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;
use ipnet::{IpNet, Ipv4Net};

use super::{ForwardedHeader, ListenAddress};
use crate::destination::Destination;
use crate::link::Address;

/// A value as it was given: a text, or a list where the file has an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Given {
    Text(String),
    List(Vec<String>),
    Switch(bool),
}

impl Given {
    fn text(&self) -> Result<&str, String> {
        match self {
            Given::Text(text) => Ok(text.trim()),
            Given::List(_) => Err("is a list; one value is wanted".into()),
            Given::Switch(_) => Err("is a boolean; a text or a whole number is wanted".into()),
        }
    }
}

pub(super) fn path(given: &Given) -> Result<PathBuf, String> {
    match given.text()? {
        "" => Err("is empty; a path is wanted".into()),
        text => Ok(text.into()),
    }
}

pub(super) fn text(given: &Given) -> Result<String, String> {
    given.text().map(str::to_owned)
}

/// The value of a header field.
pub(super) fn field(given: &Given) -> Result<String, String> {
    let text = given.text()?;
    match http::HeaderValue::from_str(text) {
        Ok(value) if value.to_str().is_ok() => Ok(text.to_owned()),
        _ => Err(format!("is {text:?}; the value of a header field is wanted, like no-cache or max-age=3600")),
    }
}

/// A file in the folder of static files.
pub(super) fn page(given: &Given) -> Result<String, String> {
    match given.text()?.trim_start_matches('/') {
        "" => Err("is empty; a file in public is wanted, like index.html".into()),
        text => Ok(text.to_owned()),
    }
}

/// A list; as one text it is separated by commas.
pub(super) fn list(given: &Given) -> Result<Vec<String>, String> {
    Ok(match given {
        Given::List(items) => items.clone(),
        Given::Text(text) => {
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
        }
        Given::Switch(_) => return Err("is a boolean; a list of texts is wanted".into()),
    })
}

/// A list, each item of which has a form of its own, which its error tells.
pub(super) fn parsed<T: FromStr<Err = String>>(given: &Given) -> Result<Vec<T>, String> {
    list(given)?.iter().map(|item| item.trim().parse().map_err(|wrong| format!("has {wrong}"))).collect()
}

/// Where requests may go, or WebSockets.
pub(super) fn destinations(given: &Given, websocket: bool) -> Result<Vec<Destination>, String> {
    let wanted = if websocket { "ws:// or wss://" } else { "http:// or https://" };
    let destinations: Vec<Destination> = parsed(given)?;
    if destinations.iter().any(|destination| destination.scheme().is_websocket() != websocket) {
        return Err(format!("has a destination of another kind; all that is listed here begins with {wanted}"));
    }
    Ok(destinations)
}

/// Yes or no.
pub(super) fn switch(given: &Given) -> Result<bool, String> {
    match given {
        Given::Switch(on) => Ok(*on),
        Given::Text(text) if text == "true" => Ok(true),
        Given::Text(text) if text == "false" => Ok(false),
        Given::Text(text) => Err(format!("is {text:?}; true or false is wanted")),
        Given::List(_) => Err("is a list; true or false is wanted".into()),
    }
}

/// `*`, or scheme, host and port; as browsers write them, without the port that the scheme has by itself. `*.` before a host is
/// everything below it.
pub(super) fn origins(given: &Given) -> Result<Vec<String>, String> {
    let written = |origin: &String| match origin.split_once("://") {
        _ if origin == "*" => Some(origin.clone()),
        Some((scheme, authority)) => {
            let host = authority.strip_prefix("*.").unwrap_or(authority);
            (!host.is_empty() && !host.contains(['/', '?', '#', '@', '*']))
                .then(|| format!("{scheme}://{}", without_default_port(scheme, authority)))
        }
        None => None,
    };
    let origin = |origin: &String| {
        written(origin).ok_or_else(|| {
            format!(
                "has {origin:?}; an origin is like https://example.org, https://*.example.org or http://localhost:3000; * by itself is all of them"
            )
        })
    };
    list(given)?.iter().map(origin).collect()
}

/// An authority without the port that the scheme has by itself.
fn without_default_port<'a>(scheme: &str, authority: &'a str) -> &'a str {
    let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    authority.strip_suffix(port).unwrap_or(authority)
}

/// The URL of a Redis. It is not shown in an error: it may hold a password.
pub(super) fn redis(given: &Given) -> Result<String, String> {
    let text = given.text()?;
    Address::parse(text).map(|_| text.to_owned())
}

/// The beginning of names in Redis. No braces: they would gather a whole cluster in one slot.
pub(super) fn prefix(given: &Given) -> Result<String, String> {
    let text = given.text()?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    if (1..=64).contains(&text.len()) && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    Err(format!("is {text:?}; 1 to 64 letters, digits, `-`, `_`, `.` and `:` are wanted"))
}

pub(super) fn listen(given: &Given) -> Result<ListenAddress, String> {
    given.text()?.parse()
}

/// Addresses, and networks like `10.0.0.0/8`.
pub(super) fn networks(given: &Given) -> Result<Vec<IpNet>, String> {
    let network = |text: &String| {
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network
            .map(canonical)
            .map_err(|_| format!("has {text:?}; an address or a network is wanted, like 127.0.0.1 or 10.0.0.0/8"))
    };
    list(given)?.iter().map(network).collect()
}

/// IPv4 addresses that are written as IPv6 ones are compared as what they are.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(six) = network else { return network };
    let four = six.addr().to_ipv4_mapped().zip(six.prefix_len().checked_sub(96));
    four.and_then(|(address, length)| Ipv4Net::new(address, length).ok()).map_or(network, IpNet::V4)
}

pub(super) fn forwarded_header(given: &Given) -> Result<ForwardedHeader, String> {
    match given.text()?.to_ascii_lowercase().as_str() {
        "x-forwarded-for" => Ok(ForwardedHeader::XForwardedFor),
        "forwarded" => Ok(ForwardedHeader::Forwarded),
        other => Err(format!("is {other:?}; x-forwarded-for or forwarded is wanted")),
    }
}

/// A duration from `least` to a day.
pub(super) fn duration(given: &Given, least: Duration) -> Result<Duration, String> {
    const MOST: Duration = Duration::from_secs(24 * 60 * 60);
    let text = given.text()?;
    let wanted = format!("a duration from {least:?} to 24h is wanted, like 500ms, 5s or 2m");
    let duration = humantime::parse_duration(text).map_err(|_| format!("is {text:?}; {wanted}"))?;
    if (least..=MOST).contains(&duration) { Ok(duration) } else { Err(format!("is {text}; {wanted}")) }
}

/// A size in bytes, from `least` to `most`.
pub(super) fn size(given: &Given, least: usize, most: usize) -> Result<usize, String> {
    let text = given.text()?;
    let show = |bytes: usize| ByteSize::b(bytes as u64).display().iec().to_string();
    let wanted = format!("a size from {} to {} is wanted, like 65536, 64KiB or 1MiB", show(least), show(most));
    let size = ByteSize::from_str(text).map_err(|_| format!("is {text:?}; {wanted}"))?;
    match usize::try_from(size.as_u64()) {
        Ok(bytes) if (least..=most).contains(&bytes) => Ok(bytes),
        _ => Err(format!("is {text}; {wanted}")),
    }
}

/// A whole number from 1 to `most`.
pub(super) fn count(given: &Given, most: usize) -> Result<usize, String> {
    let text = given.text()?;
    match text.parse() {
        Ok(count) if (1..=most).contains(&count) => Ok(count),
        _ => Err(format!("is {text:?}; a whole number from 1 to {most} is wanted")),
    }
}
