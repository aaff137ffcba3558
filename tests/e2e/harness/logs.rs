//! What hosts in this process log about their controllers and of clients that met a limit, of all tests together: who looks
//! for a line knows a name or an address that no other test has.

use super::wait::eventually;
use std::io::{self, Write};
use std::sync::{Mutex, Once, PoisonError};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Collects from here on.
pub(crate) fn collect() {
    static COLLECTING: Once = Once::new();
    COLLECTING.call_once(|| {
        let lines = tracing_subscriber::fmt().with_writer(|| Collector).with_ansi(false).without_time();
        lines.with_max_level(tracing_subscriber::filter::LevelFilter::INFO).init();
    });
}

/// The lines that contain all of `words`.
pub(crate) fn with(words: &[&str]) -> Vec<String> {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    lines.iter().filter(|line| words.iter().all(|word| line.contains(word))).cloned().collect()
}

/// Waits until there is such a line, and gives the first one.
pub(crate) async fn expect(words: &[&str]) -> String {
    eventually(&format!("a log line with {words:?}"), || !with(words).is_empty()).await;
    with(words).swap_remove(0)
}

/// Each write is one line.
struct Collector;

impl Write for Collector {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        // What guests print is not what the host says.
        if !text.contains(" guest: ")
            && ["controller", " 500: ", "lakou_host::clients", "lakou_host::identities"]
                .iter()
                .any(|word| text.contains(word))
        {
            LINES.lock().unwrap_or_else(PoisonError::into_inner).push(text.trim_end().to_owned());
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
