//! Logs: one line an event on standard error, fields before text. `LAKOU_LOG` filters them like
//! `info,lakou_host::session=debug`; the default is `info` without the words of `wasmtime_wasi_http`, which any guest could have
//! it say without end, and which the guest is told anyway.

use std::io::{self, IsTerminal, Write};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::text::is_obeyed;

const DEFAULT: &str = "info,wasmtime_wasi_http=off";

/// Starts logging for this process.
///
/// # Errors
///
/// The filter is not one; what it says is on one line.
pub(crate) fn start(filter: Option<&str>) -> Result<(), String> {
    let filter = filter.filter(|filter| !filter.is_empty()).unwrap_or(DEFAULT);
    // By target and level only: filtering by fields would bring a whole regular-expression engine.
    let targets = targets(filter).map_err(|wrong| format!("LAKOU_LOG: is {filter:?}: {wrong}"))?;
    let colours = io::stderr().is_terminal();
    // A line that can not be written, because the log is on a full disk, is lost, and nothing else is.
    let lines =
        tracing_subscriber::fmt::layer().with_writer(move || Lines { out: io::stderr(), colours }).with_ansi(colours);
    tracing_subscriber::registry().with(lines).with(targets).init();
    Ok(())
}

/// A level, or targets with one each. A word that is no level would be taken for a target of which everything is wanted, which
/// is what a misspelt level is not meant to be.
fn targets(filter: &str) -> Result<Targets, String> {
    const WANTED: &str =
        "off, error, warn, info, debug or trace is wanted, or TARGET=LEVEL behind it, like info,guest=debug";
    for part in filter.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let level = part.rsplit_once('=').map_or(part, |(_target, level)| level);
        if level.parse::<LevelFilter>().is_err() {
            return Err(format!("{level:?} is no level; {WANTED}"));
        }
    }
    filter.parse().map_err(|error| format!("{error}; {WANTED}"))
}

/// Standard error, a line an event: what a line quotes of others can neither end it nor have a terminal do something. The
/// colours of the log itself are let through.
struct Lines<W> {
    out: W,
    colours: bool,
}

impl<W: Write> Write for Lines<W> {
    /// Takes one whole event, which is how the formatter writes.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let (line, end) = text.strip_suffix('\n').map_or((&*text, ""), |line| (line, "\n"));
        if !line.contains(is_obeyed) {
            return self.out.write_all(event).map(|()| event.len());
        }
        let mut clean = String::with_capacity(line.len() + 64);
        let mut rest = line;
        while let Some(character) = rest.chars().next() {
            let colour = if self.colours { colour(rest) } else { 0 };
            let length = if colour > 0 { colour } else { character.len_utf8() };
            if colour == 0 && is_obeyed(character) {
                clean.extend(character.escape_default());
            } else {
                clean.push_str(&rest[..length]);
            }
            rest = &rest[length..];
        }
        clean.push_str(end);
        self.out.write_all(clean.as_bytes()).map(|()| event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// How long the sequence is that a text begins with and that only sets a colour (ECMA-48, SGR); 0: there is none.
fn colour(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\u{1b}[") else { return 0 };
    match parameters.find(|c: char| !c.is_ascii_digit() && c != ';') {
        Some(end) if parameters[end..].starts_with('m') => 2 + end + 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, colours: bool) -> String {
        let mut lines = Lines { out: Vec::new(), colours };
        lines.write_all(text.as_bytes()).expect("a vector takes everything");
        String::from_utf8(lines.out).expect("text")
    }

    #[test]
    fn an_event_is_one_line_that_does_nothing() {
        assert_eq!(written("INFO plain \u{e9}\n", false), "INFO plain \u{e9}\n");
        assert_eq!(written("WARN a\nINFO b\u{1b}[2J\u{202e}\n", false), "WARN a\\nINFO b\\u{1b}[2J\\u{202e}\n");
        assert_eq!(
            written("\u{1b}[1;33mWARN\u{1b}[0m a\u{1b}[2Jb\n", true),
            "\u{1b}[1;33mWARN\u{1b}[0m a\\u{1b}[2Jb\n"
        );
        assert_eq!(written("\u{1b}[1mWARN\n", false), "\\u{1b}[1mWARN\n");
        assert_eq!(written("\u{1b}[", true), "\\u{1b}[");
    }

    #[test]
    fn a_word_that_is_no_level_is_refused() {
        for filter in
            ["info", "WARN", "off", "debug,hyper=off", "warn,guest=info,lakou_host::session=debug", "guest=trace"]
        {
            assert!(targets(filter).is_ok(), "{filter}");
        }
        for filter in ["verbos", "info,guest", "guest=loud", "info debug"] {
            assert!(targets(filter).expect_err(filter).contains("debug or trace"), "{filter}");
        }
    }
}
