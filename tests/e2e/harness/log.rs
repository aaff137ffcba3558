//! What hosts in this process log of the clients that met a limit. All hosts write into one log; scenarios tell their lines
//! apart by the client's address.

use super::wait::eventually;
use std::io::Write;
use std::sync::{Mutex, Once};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Has lines collected from now on.
pub(crate) fn listen() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(|| Line);
        let clients = Targets::new().with_target("lakou_host::clients", LevelFilter::INFO);
        tracing_subscriber::registry().with(lines).with(clients).init();
    });
}

/// Waits until a line has all of `words`.
pub(crate) async fn has(words: &[&str]) {
    let found = || {
        let lines = LINES.lock().expect("writers do not panic");
        lines.iter().any(|line| words.iter().all(|word| line.contains(word)))
    };
    eventually(&format!("a log line with {words:?}"), found).await;
}

/// Takes one line.
struct Line;

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LINES.lock().expect("readers do not panic").push(String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
