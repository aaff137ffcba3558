//! The media type of a file, and how its text is encoded: UTF-8, unless the file says otherwise. It says so by a byte order
//! mark, and HTML, CSS and XML have words for it at their beginning.

use http::HeaderValue;
use mime_guess::mime;

/// How much of a file's beginning is looked at: HTML wants its word within so many bytes.
pub(super) const LOOKED_AT: usize = 1024;

/// `content-type` of the file `path`, which begins with `beginning`.
pub(super) fn media_type(path: &str, beginning: &[u8]) -> HeaderValue {
    let mut media = mime_guess::from_path(path).first_or_octet_stream();
    if media.subtype() == mime::JAVASCRIPT {
        // The one type of scripts and of modules (RFC 9239).
        media = mime::TEXT_JAVASCRIPT;
    }
    let named = charset(&media, beginning).map(|charset| format!("{}; charset={charset}", media.essence_str()));
    let named = named.unwrap_or_else(|| media.to_string());
    HeaderValue::try_from(named).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// None for what is no text (JSON is UTF-8 by itself), and where the file names another charset, which a field would
/// overrule.
fn charset(media: &mime::Mime, beginning: &[u8]) -> Option<&'static str> {
    let xml = media.suffix() == Some(mime::XML) || media.subtype() == mime::XML;
    if media.type_() != mime::TEXT && !xml {
        return None;
    }
    if beginning.starts_with(b"\xfe\xff") || beginning.starts_with(b"\xff\xfe") {
        return Some("utf-16");
    }
    if beginning.starts_with(b"\xef\xbb\xbf") {
        return Some("utf-8");
    }
    let text = String::from_utf8_lossy(beginning).to_ascii_lowercase();
    let after = |text: &str, word: &str| text.split_once(word).map(|(_, rest)| rest.to_owned());
    let named = match media.essence_str() {
        "text/html" => after(&text, "<meta").and_then(|rest| after(&rest, "charset")),
        "text/css" => text.strip_prefix("@charset").map(str::to_owned),
        _ if xml => text
            .strip_prefix("<?xml")
            .and_then(|rest| rest.split_once("?>"))
            .and_then(|(declaration, _)| after(declaration, "encoding")),
        _ => None,
    };
    let named = named.as_deref().map(|rest| rest.trim_start_matches(|c: char| c.is_whitespace() || "=\"'".contains(c)));
    let is_utf8 = |name: &str| name.starts_with("utf-8") || name.starts_with("utf8") || name.starts_with("us-ascii");
    if named.is_none_or(is_utf8) { Some("utf-8") } else { None }
}

#[cfg(test)]
mod tests {
    use super::media_type;

    #[test]
    fn text_is_utf8_unless_it_says_otherwise() {
        for (path, beginning, right) in [
            ("a.html", "<!doctype html>", "text/html; charset=utf-8"),
            ("a.html", "<meta charset=utf-8>", "text/html; charset=utf-8"),
            ("a.html", "<META CharSet='windows-1252'>", "text/html"),
            ("a.html", "<meta http-equiv=content-type content=\"text/html; charset=iso-8859-1\">", "text/html"),
            ("a.html", "<title>the charset</title>", "text/html; charset=utf-8"),
            ("a.css", "p {}", "text/css; charset=utf-8"),
            ("a.css", "@charset \"iso-8859-15\";", "text/css"),
            ("a.css", "@charset \"utf-8\";", "text/css; charset=utf-8"),
            ("a.js", "", "text/javascript; charset=utf-8"),
            ("a.mjs", "", "text/javascript; charset=utf-8"),
            ("A.TXT", "charset=latin1", "text/plain; charset=utf-8"),
            ("a.md", "", "text/markdown; charset=utf-8"),
            ("a.csv", "", "text/csv; charset=utf-8"),
            ("a.svg", "<svg/>", "image/svg+xml; charset=utf-8"),
            ("a.svg", "<?xml version='1.0' encoding='ISO-8859-1'?><svg/>", "image/svg+xml"),
            ("a.xml", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "text/xml; charset=utf-8"),
            ("a.xml", "<?xml version='1.0'?><a encoding='x'/>", "text/xml; charset=utf-8"),
            ("a.json", "{}", "application/json"),
            ("a.wasm", "", "application/wasm"),
            ("a.png", "", "image/png"),
            ("a.unheard-of", "", "application/octet-stream"),
            ("a", "", "application/octet-stream"),
        ] {
            assert_eq!(media_type(path, beginning.as_bytes()), right, "{path} {beginning}");
        }
        assert_eq!(media_type("a.txt", b"\xff\xfeh\0i\0"), "text/plain; charset=utf-16");
        assert_eq!(media_type("a.html", b"\xfe\xff\0<"), "text/html; charset=utf-16");
        assert_eq!(media_type("a.css", b"\xef\xbb\xbf@charset \"latin1\";"), "text/css; charset=utf-8");
    }
}
