//! The parameters of a path pattern in a path, as the real host's router finds them.

use percent_encoding::percent_decode_str;

/// The parameters in the pattern's order, decoded; `None` if the path does not fit the pattern.
pub(super) fn params(pattern: &str, path: &str) -> Option<Vec<(String, String)>> {
    let mut params = Vec::new();
    let mut rest = path.strip_prefix('/')?;
    let mut segments = pattern.strip_prefix('/')?.split('/').peekable();
    while let Some(segment) = segments.next() {
        if let Some(name) = segment.strip_prefix("{*").and_then(|name| name.strip_suffix('}')) {
            params.push((name.to_owned(), decode(rest)?));
            return Some(params);
        }
        let (value, after) = match rest.split_once('/') {
            Some((value, after)) => (value, Some(after)),
            None => (rest, None),
        };
        let value = decode(value)?;
        match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(_) if value.is_empty() => return None,
            Some(name) => params.push((name.to_owned(), value)),
            None if value != segment => return None,
            None => {}
        }
        // A rest matches nothing, too, with a slash before it or without.
        let may_end = segments.peek().is_none_or(|next| next.starts_with("{*"));
        if after.is_some() && segments.peek().is_none() || after.is_none() && !may_end {
            return None;
        }
        rest = after.unwrap_or_default();
    }
    Some(params)
}

fn decode(text: &str) -> Option<String> {
    Some(percent_decode_str(text).decode_utf8().ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::params;

    fn values(pattern: &str, path: &str) -> Option<Vec<String>> {
        Some(params(pattern, path)?.into_iter().map(|(_, value)| value).collect())
    }

    #[test]
    fn parameters_are_found_and_decoded() {
        assert_eq!(values("/", "/"), Some(vec![]));
        assert_eq!(values("/echo", "/echo"), Some(vec![]));
        assert_eq!(values("/chat/{room}", "/chat/a%20b"), Some(vec!["a b".to_owned()]));
        assert_eq!(values("/{a}/x/{b}", "/1/x/2"), Some(vec!["1".to_owned(), "2".to_owned()]));
        for (path, rest) in [("/files/a/b", "a/b"), ("/files/", ""), ("/files", "")] {
            assert_eq!(values("/files/{*rest}", path), Some(vec![rest.to_owned()]), "{path}");
        }
    }

    #[test]
    fn other_paths_do_not_fit() {
        for path in ["", "chat", "/chat", "/chat/", "/chat/a/b", "/talk/a", "/chat/%FF"] {
            assert_eq!(values("/chat/{room}", path), None, "{path}");
        }
        assert_eq!(values("/files/{*rest}", "/file"), None);
    }
}
