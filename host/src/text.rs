//! Other people's words, made fit for a log line or an answer: not too long, and unable to look like something else.

use std::borrow::Cow;

/// The beginning of a text, at most `bytes` long, cut between characters.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// A text without characters that would move a terminal's cursor, and so could make one line look like others.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let moves = |character: char| character.is_control() && character != '\t';
    if !text.contains(moves) {
        return Cow::Borrowed(text);
    }
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        if moves(character) {
            printable.extend(character.escape_default());
        } else {
            printable.push(character);
        }
    }
    Cow::Owned(printable)
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
    fn nothing_moves_the_cursor() {
        assert_eq!(printable("a\tb"), "a\tb");
        assert_eq!(printable("a\rb\u{1b}[2J\u{8}\u{9b}"), "a\\rb\\u{1b}[2J\\u{8}\\u{9b}");
    }
}
