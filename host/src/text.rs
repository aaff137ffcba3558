//! Other people's words, made fit for a log line or an answer: not too long, and unable to look like something else.

use std::borrow::Cow;

/// The beginning of a text, at most `bytes` long, cut between characters.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// A text without characters that a terminal does not show but obeys, and that could so make one line look like others.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        if is_obeyed(character) {
            printable.extend(character.escape_default());
        } else {
            printable.push(character);
        }
    }
    Cow::Owned(printable)
}

/// What moves the cursor, ends a line, turns the direction of writing (UAX #9), or has no width at all (the format
/// characters of Unicode that are not part of a script).
pub(crate) fn is_obeyed(character: char) -> bool {
    let is_format = matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    is_format || (character.is_control() && character != '\t')
}

/// Whether a text is a token of HTTP (RFC 9110, section 5.6.2).
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_between_characters() {
        assert_eq!(cut("caf\u{e9}", 4), "caf");
        assert_eq!(cut("caf\u{e9}", 5), "caf\u{e9}");
        assert_eq!(cut("", 5), "");
    }

    #[test]
    fn tokens() {
        assert!(["chat", "v2.chat", "!#$%&'*+-.^_`|~", "0"].into_iter().all(is_token));
        assert!(!["", "a b", "a,b", "a/b", "a:b", "a\tb", "\"a\"", "(a)", "caf\u{e9}"].into_iter().any(is_token));
    }

    #[test]
    fn nothing_moves_the_cursor() {
        assert_eq!(printable("a\tb"), "a\tb");
        assert_eq!(printable("a\rb\u{1b}[2J\u{8}\u{9b}"), "a\\rb\\u{1b}[2J\\u{8}\\u{9b}");
        assert_eq!(
            printable("\u{e9}\u{4e2d}\u{1f600}"),
            "\u{e9}\u{4e2d}\u{1f600}",
            "other scripts are shown as they are"
        );
    }

    #[test]
    fn nothing_turns_or_hides_what_is_written() {
        for character in ['\u{202e}', '\u{2066}', '\u{200b}', '\u{200f}', '\u{2028}', '\u{feff}', '\u{ad}', '\u{e0041}']
        {
            let text = format!("a{character}b");
            assert_eq!(printable(&text), format!("a{}b", character.escape_default()));
        }
    }
}
