//! Which parts of a file are asked for: RFC 9110, section 14. The library for it takes a suffix that is longer than the file
//! for an error.

use std::ops::Range;

use http::HeaderMap;
use http::header::RANGE;

/// How many parts one answer has at most. Who reads a document by its index asks for a few; at more the whole is sent, as
/// it is if the parts together are longer than the file: many small or overlapping ones are an attack (section 17.15).
const MOST_PARTS: usize = 16;

/// What is sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Whole,
    /// At least one, none of them empty.
    Parts(Vec<Range<u64>>),
    Unsatisfiable,
}

/// What `range` asks for of a file. A unit that is unknown and a field that is malformed are ignored.
pub(super) fn wanted(headers: &HeaderMap, length: u64) -> Wanted {
    let mut fields = headers.get_all(RANGE).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else { return Wanted::Whole };
    let Some((unit, set)) = field.to_str().ok().and_then(|field| field.split_once('=')) else { return Wanted::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Wanted::Whole;
    }
    let (mut asked, mut parts, mut total) = (0, Vec::new(), 0_u64);
    for spec in set.split(',').map(|spec| spec.trim_matches([' ', '\t'])).filter(|spec| !spec.is_empty()) {
        asked += 1;
        let Some(part) = part(spec, length).filter(|_| asked <= MOST_PARTS) else { return Wanted::Whole };
        if !part.is_empty() {
            total = total.saturating_add(part.end - part.start);
            parts.push(part);
        }
    }
    match (asked, parts.is_empty()) {
        (0, _) => Wanted::Whole,
        (_, true) => Wanted::Unsatisfiable,
        (_, false) if total > length => Wanted::Whole,
        (_, false) => Wanted::Parts(parts),
    }
}

/// The part that one range names, which is empty if the file has nothing of it; none if it is malformed.
fn part(spec: &str, length: u64) -> Option<Range<u64>> {
    let (first, last) = spec.split_once('-')?;
    if first.is_empty() {
        // The end of an empty file is the whole of it, which no `content-range` can say: it is sent as if not asked for.
        let count = number(last).filter(|count| *count == 0 || length > 0)?;
        return Some(length.saturating_sub(count)..length);
    }
    let first = number(first)?;
    let end = if last.is_empty() { length } else { number(last).filter(|last| *last >= first)?.saturating_add(1) };
    let end = end.min(length);
    Some(first.min(end)..end)
}

/// A number of digits alone; one that is too large is larger than any file.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// A part as `content-range` says it.
pub(super) fn content_range(part: &Range<u64>, length: u64) -> String {
    format!("bytes {}-{}/{length}", part.start, part.end - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str, length: u64) -> Wanted {
        wanted(&HeaderMap::from_iter([(RANGE, value.parse().expect("a value"))]), length)
    }

    #[test]
    fn ranges_of_ten_bytes() {
        use Wanted::{Parts, Unsatisfiable, Whole};
        let one = |part: Range<u64>| Parts(vec![part]);
        for (value, right) in [
            ("bytes=0-0", one(0..1)),
            ("bytes=2-4", one(2..5)),
            ("BYTES=2-4", one(2..5)),
            ("bytes= 2-4 ", one(2..5)),
            ("bytes=2-", one(2..10)),
            ("bytes=0-99", one(0..10)),
            ("bytes=9-99999999999999999999999", one(9..10)),
            ("bytes=-3", one(7..10)),
            ("bytes=-10", one(0..10)),
            ("bytes=-99", one(0..10)),
            ("bytes=-99999999999999999999999", one(0..10)),
            ("bytes=10-", Unsatisfiable),
            ("bytes=99999999999999999999999-", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
            ("bytes=10-,20-30", Unsatisfiable),
            ("bytes=0-1,8-9", Parts(vec![0..2, 8..10])),
            ("bytes=8-9, ,0-1", Parts(vec![8..10, 0..2])),
            ("bytes=0-1,50-60", one(0..2)),
            ("bytes=0-,0-", Whole),
            ("bytes=0-9,5-5", Whole),
            ("lines=0-1", Whole),
            ("bytes", Whole),
            ("bytes=", Whole),
            ("bytes=,", Whole),
            ("bytes=-", Whole),
            ("bytes=4-2", Whole),
            ("bytes=+1-2", Whole),
            ("bytes=1-2-3", Whole),
            ("bytes=a-b", Whole),
            ("bytes=0-1,x", Whole),
            ("bytes=0x0-1", Whole),
        ] {
            assert_eq!(of(value, 10), right, "{value}");
        }
    }

    #[test]
    fn parts_have_a_bound() {
        let parts =
            |count: u64| format!("bytes={}", (0..count).map(|at| format!("{at}-{at}")).collect::<Vec<_>>().join(","));
        assert!(matches!(of(&parts(16), 1000), Wanted::Parts(parts) if parts.len() == 16));
        assert_eq!(of(&parts(17), 1000), Wanted::Whole);
    }

    #[test]
    fn an_empty_file_has_no_part() {
        assert_eq!(of("bytes=0-", 0), Wanted::Unsatisfiable);
        assert_eq!(of("bytes=-0", 0), Wanted::Unsatisfiable);
        assert_eq!(of("bytes=-5", 0), Wanted::Whole);
    }

    #[test]
    fn two_fields_are_none() {
        let field = (RANGE, "bytes=0-1".parse().expect("a value"));
        let mut headers = HeaderMap::from_iter([field.clone()]);
        headers.append(field.0, field.1);
        assert_eq!(wanted(&headers, 10), Wanted::Whole);
    }
}
