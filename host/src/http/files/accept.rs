//! What a client takes: encodings and pages, by their weights (RFC 9110, sections 12.4.2 and 12.5).

use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_ENCODING, AsHeaderName};

/// An encoding that a file can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    /// All of them, the denser first.
    pub(super) const ALL: [Encoding; 2] = [Encoding::Brotli, Encoding::Gzip];

    /// As `content-encoding` says it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Encoding::Brotli => "br",
            Encoding::Gzip => "gzip",
        }
    }

    /// What the name of a file in it ends with.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Encoding::Brotli => ".br",
            Encoding::Gzip => ".gz",
        }
    }
}

/// The encodings that a client takes at least as gladly as none, the best first.
pub(super) fn encodings(headers: &HeaderMap) -> Vec<Encoding> {
    let (mut named, mut none, mut any) = ([None; Encoding::ALL.len()], None, None);
    for (name, weight) in weights(headers, ACCEPT_ENCODING) {
        let of = |encoding: &Encoding| {
            name.eq_ignore_ascii_case(encoding.name())
                || *encoding == Encoding::Gzip && name.eq_ignore_ascii_case("x-gzip")
        };
        if let Some(at) = Encoding::ALL.iter().position(of) {
            named[at] = Some(weight);
        } else if name == "*" {
            any = Some(weight);
        } else if name.eq_ignore_ascii_case("identity") {
            none = Some(weight);
        }
    }
    // What is not named is possible without an encoding only, and liked least.
    let none = none.or(any).unwrap_or(0.0);
    let weighed = Encoding::ALL.into_iter().zip(named).map(|(encoding, own)| (encoding, own.or(any).unwrap_or(0.0)));
    let mut taken: Vec<_> = weighed.filter(|(_, weight)| *weight > 0.0 && *weight >= none).collect();
    taken.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    taken.into_iter().map(|(encoding, _)| encoding).collect()
}

/// Whether a client that asks for what is not there takes a page instead. A browser that goes to a page says `text/html`;
/// who takes anything (scripts, images, `fetch`, and programs) gets a page only where the path is not that of a file, so that
/// a script that is gone is not answered with a page.
pub(super) fn takes_page(headers: &HeaderMap, is_named: bool) -> bool {
    if !headers.contains_key(ACCEPT) {
        return !is_named;
    }
    let (mut page, mut text, mut any) = (None, None, None);
    for (name, weight) in weights(headers, ACCEPT) {
        match name.to_ascii_lowercase().as_str() {
            "text/html" => page = Some(weight),
            "text/*" => text = Some(weight),
            "*/*" => any = Some(weight),
            _ => {}
        }
    }
    match page {
        Some(weight) => weight > 0.0,
        None => !is_named && text.or(any).is_some_and(|weight| weight > 0.0),
    }
}

/// The items of a list with their weights; those whose weight is none are left out.
fn weights(headers: &HeaderMap, name: impl AsHeaderName) -> impl Iterator<Item = (&str, f32)> {
    let items = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    items.flat_map(|value| value.split(',')).filter_map(|item| {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?;
        let mut weight = 1.0;
        for (key, value) in parts.filter_map(|part| part.split_once('=')) {
            if key.trim().eq_ignore_ascii_case("q") {
                weight = value.trim().parse().ok().filter(|weight| (0.0..=1.0).contains(weight))?;
            }
        }
        Some((name, weight))
    })
}

#[cfg(test)]
mod tests {
    use super::Encoding::{Brotli, Gzip};
    use super::*;

    fn with(name: http::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().expect("a value"))])
    }

    #[test]
    fn encodings_have_weights() {
        let right: &[(&str, &[Encoding])] = &[
            ("", &[]),
            ("gzip", &[Gzip]),
            ("x-gzip", &[Gzip]),
            ("GZIP, Br", &[Brotli, Gzip]),
            ("gzip, deflate, br, zstd", &[Brotli, Gzip]),
            ("gzip;q=1.0, br;q=0.5", &[Gzip, Brotli]),
            ("gzip;q=0", &[]),
            ("gzip;q=0.000, br", &[Brotli]),
            ("gzip; Q=0 , *", &[Brotli]),
            ("*", &[Brotli, Gzip]),
            ("*;q=0", &[]),
            ("br, *;q=0", &[Brotli]),
            ("gzip;q=0.5, identity", &[]),
            ("gzip;q=0.5, identity;q=0.5", &[Gzip]),
            ("identity;q=0, gzip;q=0.1", &[Gzip]),
            ("gzip;q=2", &[]),
            ("gzip;q=NaN", &[]),
            ("gzipped, brotli", &[]),
        ];
        for (value, chosen) in right {
            assert_eq!(encodings(&with(ACCEPT_ENCODING, value)), *chosen, "{value}");
        }
        assert_eq!(encodings(&HeaderMap::new()), []);
    }

    #[test]
    fn a_page_is_for_who_goes_to_one() {
        for (value, route, file) in [
            ("text/html,application/xhtml+xml,*/*;q=0.8", true, true),
            ("*/*", true, false),
            ("text/*", true, false),
            ("application/json", false, false),
            ("application/json, */*", true, false),
            ("image/avif,image/*", false, false),
            ("text/html;q=0, */*", false, false),
            ("*/*;q=0", false, false),
        ] {
            let headers = with(ACCEPT, value);
            assert_eq!((takes_page(&headers, false), takes_page(&headers, true)), (route, file), "{value}");
        }
        assert!(takes_page(&HeaderMap::new(), false));
        assert!(!takes_page(&HeaderMap::new(), true));
    }
}
