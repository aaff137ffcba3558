//! Validators and what they are asked for: RFC 9110, section 13. The typed fields of the `headers` crate are not used, because
//! they compare the date of `if-range` by order, where section 13.1.5 wants it to be the same.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{
    AsHeaderName, HeaderMap, HeaderValue, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE,
};
use httpdate::{fmt_http_date, parse_http_date};

use super::accept::Encoding;
use super::folder::Version;

/// What a client can tell one content of a file by.
pub(super) struct Validators {
    /// An entity tag, a strong one, with its quotes.
    tag: String,
    /// In whole seconds; none if the file's time can not be one of a change.
    modified: Option<SystemTime>,
}

/// What follows from the conditions of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Send,
    NotModified,
    Failed,
}

impl Validators {
    /// Each encoding has a tag of its own: a part of one does not go on where a part of another ended.
    pub(super) fn of(version: &Version, encoding: Option<Encoding>) -> Self {
        let Version { length, seconds, nanoseconds } = version;
        let encoding = encoding.map(Encoding::extension).unwrap_or_default().replace('.', "-");
        let tag = format!("\"{seconds:x}.{nanoseconds:x}-{length:x}{encoding}\"");
        let modified =
            u64::try_from(*seconds).ok().and_then(|since| UNIX_EPOCH.checked_add(Duration::from_secs(since)));
        // A date in the future may not be told (section 8.8.2.1).
        Validators { tag, modified: modified.filter(|modified| *modified <= SystemTime::now()) }
    }

    pub(super) fn tag(&self) -> &str {
        &self.tag
    }

    pub(super) fn last_modified(&self) -> Option<HeaderValue> {
        self.modified.and_then(|modified| HeaderValue::try_from(fmt_http_date(modified)).ok())
    }

    /// The conditions in their order (section 13.2.2): a date counts only where there is no tag beside it.
    pub(super) fn judge(&self, headers: &HeaderMap) -> Verdict {
        if headers.contains_key(IF_MATCH) {
            if !self.is_among(headers, IF_MATCH, false) {
                return Verdict::Failed;
            }
        } else if self.dated(headers, IF_UNMODIFIED_SINCE).is_some_and(|(modified, date)| modified > date) {
            return Verdict::Failed;
        }
        if headers.contains_key(IF_NONE_MATCH) {
            if self.is_among(headers, IF_NONE_MATCH, true) {
                return Verdict::NotModified;
            }
        } else if self.dated(headers, IF_MODIFIED_SINCE).is_some_and(|(modified, date)| modified <= date) {
            return Verdict::NotModified;
        }
        Verdict::Send
    }

    /// Whether a client that asks for a part has the rest of the same content (section 13.1.5). A weak tag does not say so.
    pub(super) fn allow_ranges(&self, headers: &HeaderMap) -> bool {
        if !headers.contains_key(IF_RANGE) {
            return true;
        }
        let Some(held) = single(headers, IF_RANGE) else { return false };
        held == self.tag || (self.modified.is_some() && parse_http_date(held).ok() == self.modified)
    }

    /// Whether the tag is in a list of tags; weak ones count in some lists only.
    fn is_among(&self, headers: &HeaderMap, name: impl AsHeaderName, weakly: bool) -> bool {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.trim() == "*" || tags(value).any(|(weak, tag)| tag == self.tag && (weakly || !weak)))
    }

    /// The file's date beside that of a field.
    fn dated(&self, headers: &HeaderMap, name: impl AsHeaderName) -> Option<(SystemTime, SystemTime)> {
        self.modified.zip(single(headers, name).and_then(|date| parse_http_date(date).ok()))
    }
}

/// The value of a field that is there once.
fn single(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value.trim())
}

/// The tags of a list, each with whether it is weak, up to what is no tag. There may be commas in a tag.
fn tags(list: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let at = rest.trim_start_matches([' ', '\t', ',']);
        let (weak, tag) = at.strip_prefix("W/").map_or((false, at), |tag| (true, tag));
        let end = tag.strip_prefix('"')?.find('"')? + 2;
        rest = &tag[end..];
        Some((weak, &tag[..end]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: i64 = 784_111_777;
    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";
    const TAG: &str = "\"2ebc98a1.5-a\"";

    fn validators() -> Validators {
        Validators::of(&Version { length: 10, seconds: TIME, nanoseconds: 5 }, None)
    }

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().expect("a value"));
        }
        headers
    }

    #[test]
    fn conditions_have_an_order() {
        let weak = format!("W/{TAG}");
        let list = format!("\"a,b\", W/\"c\" ,, {TAG}");
        use Verdict::{Failed, NotModified, Send};
        for (fields, verdict) in [
            (vec![], Send),
            (vec![("if-match", TAG)], Send),
            (vec![("if-match", "*")], Send),
            (vec![("if-match", &list)], Send),
            (vec![("if-match", "\"other\"")], Failed),
            (vec![("if-match", "nonsense")], Failed),
            (vec![("if-match", &weak)], Failed),
            (vec![("if-match", TAG), ("if-unmodified-since", BEFORE)], Send),
            (vec![("if-match", "\"other\""), ("if-none-match", TAG)], Failed),
            (vec![("if-match", TAG), ("if-none-match", TAG)], NotModified),
            (vec![("if-match", "\"other\""), ("if-match", TAG)], Send),
            (vec![("if-unmodified-since", BEFORE)], Failed),
            (vec![("if-unmodified-since", DATE)], Send),
            (vec![("if-unmodified-since", BEFORE), ("if-modified-since", AFTER)], Failed),
            (vec![("if-unmodified-since", "yesterday")], Send),
            (vec![("if-none-match", TAG)], NotModified),
            (vec![("if-none-match", &weak)], NotModified),
            (vec![("if-none-match", &list)], NotModified),
            (vec![("if-none-match", "*")], NotModified),
            (vec![("if-none-match", "\"other\""), ("if-modified-since", AFTER)], Send),
            (vec![("if-modified-since", BEFORE)], Send),
            (vec![("if-modified-since", DATE)], NotModified),
            (vec![("if-modified-since", AFTER)], NotModified),
            (vec![("if-modified-since", "Sunday, 06-Nov-94 08:49:37 GMT")], NotModified),
            (vec![("if-modified-since", "Sun Nov  6 08:49:37 1994")], NotModified),
            (vec![("if-modified-since", "yesterday")], Send),
            (vec![("if-modified-since", AFTER), ("if-modified-since", AFTER)], Send),
        ] {
            assert_eq!(validators().judge(&headers(&fields)), verdict, "{fields:?}");
        }
    }

    #[test]
    fn a_part_is_for_who_has_the_rest() {
        let weak = format!("W/{TAG}");
        for (value, allowed) in [
            (TAG, true),
            (DATE, true),
            ("\"other\"", false),
            (weak.as_str(), false),
            (BEFORE, false),
            (AFTER, false),
            ("nonsense", false),
            ("*", false),
        ] {
            assert_eq!(validators().allow_ranges(&headers(&[("if-range", value)])), allowed, "{value}");
        }
        assert!(validators().allow_ranges(&HeaderMap::new()));
        assert!(!validators().allow_ranges(&headers(&[("if-range", TAG), ("if-range", TAG)])));
    }

    #[test]
    fn times_that_can_not_be_are_not_told() {
        for seconds in [i64::MIN, -1, 400_000_000_000, i64::MAX] {
            let validators = Validators::of(&Version { length: 0, seconds, nanoseconds: 0 }, None);
            assert_eq!(validators.last_modified(), None, "{seconds}");
            assert_eq!(validators.judge(&headers(&[("if-modified-since", DATE)])), Verdict::Send);
            assert!(!validators.allow_ranges(&headers(&[("if-range", "nonsense")])));
        }
    }
}
