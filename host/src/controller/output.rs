//! What a guest prints becomes log lines, one a line, bounded in length and number.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tracing::Level;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use crate::ids::ConnectionId;
use crate::limit::{Limit, LimitHits};
use crate::metrics::Metrics;
use crate::rate::{Admitted, RateLimit};
use crate::text::{cut, printable};

/// The longest line that is logged whole; a longer one is cut into several.
const LINE_BYTES: usize = 4096;

/// How much of a guest's words about a misfit is logged.
const NAME_BYTES: usize = 64;
const REASON_BYTES: usize = 512;

/// How much a guest may write at once.
const WRITE_BYTES: usize = 64 * 1024;

/// Where the lines of one controller go, whatever the instance.
pub(super) struct Output {
    controller: Arc<str>,
    metrics: Arc<Metrics>,
    hits: Arc<LimitHits>,
    lines_per_second: u32,
    rate: RateLimit,
}

impl Output {
    /// A person reads some dozens of lines in a second; a program that prints more is printing for nobody.
    pub(super) fn new(
        controller: Arc<str>,
        metrics: Arc<Metrics>,
        hits: Arc<LimitHits>,
        lines_per_second: u32,
    ) -> Self {
        Output { controller, metrics, hits, lines_per_second, rate: RateLimit::new(lines_per_second) }
    }

    /// A line that a guest has printed.
    fn print(&self, source: Source, connection: Option<ConnectionId>, line: &str) {
        if !self.admit() {
            return;
        }
        let (controller, line) = (&*self.controller, printable(line));
        let connection = connection.map(tracing::field::display);
        match source {
            Source::Stdout => tracing::info!(target: "guest", controller, connection, "{line}"),
            Source::Stderr => tracing::warn!(target: "guest", controller, connection, "{line}"),
        }
    }

    /// A line that a guest has logged; how it groups its lines comes before it.
    pub(super) fn line(&self, level: Level, connection: Option<ConnectionId>, context: &str, message: &str) {
        // What the log does not show takes no room in it.
        let shown = match level {
            Level::ERROR => tracing::enabled!(target: "guest", Level::ERROR),
            Level::WARN => tracing::enabled!(target: "guest", Level::WARN),
            Level::INFO => tracing::enabled!(target: "guest", Level::INFO),
            Level::DEBUG => tracing::enabled!(target: "guest", Level::DEBUG),
            Level::TRACE => tracing::enabled!(target: "guest", Level::TRACE),
        };
        if !shown || !self.admit() {
            return;
        }
        let controller = &*self.controller;
        let connection = connection.map(tracing::field::display);
        let context = printable(cut(context, NAME_BYTES));
        let between = if context.is_empty() { "" } else { ": " };
        let message = printable(cut(message, LINE_BYTES));
        macro_rules! log {
            ($level:ident) => { tracing::$level!(target: "guest", controller, connection, "{context}{between}{message}") };
        }
        match level {
            Level::ERROR => log!(error),
            Level::WARN => log!(warn),
            Level::INFO => log!(info),
            Level::DEBUG => log!(debug),
            Level::TRACE => log!(trace),
        }
    }

    /// A client message or an event did not fit a method; the guest's words about it are cut to a line's length.
    pub(super) fn misfit(&self, connection: Option<ConnectionId>, origin: &str, name: &str, reason: &str) {
        if !self.admit() {
            return;
        }
        let controller = &*self.controller;
        let connection = connection.map(tracing::field::display);
        let (name, reason) = (cut(name, NAME_BYTES), printable(cut(reason, REASON_BYTES)));
        tracing::warn!(controller, connection, "{origin} {name:?} did not fit: {reason}");
    }

    /// Whether one more line may be logged because of this controller; one that may not is counted.
    pub(super) fn admit(&self) -> bool {
        if self.rate.admit() == Admitted::Yes {
            return true;
        }
        let lines = self.lines_per_second;
        self.hits.hit(Limit::LogRate, format_args!("over {lines} lines in this second: the others are not logged"));
        self.metrics.log_lines_dropped.count();
        false
    }
}

#[derive(Clone, Copy)]
pub(super) enum Source {
    Stdout,
    Stderr,
}

/// The connection that a store is working for, for the lines that it prints; none: it is not known, or there is none.
#[derive(Debug, Clone, Default)]
pub(super) struct WorkingFor(Arc<Mutex<Option<ConnectionId>>>);

impl WorkingFor {
    pub(super) fn set(&self, connection: Option<ConnectionId>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = connection;
    }

    fn get(&self) -> Option<ConnectionId> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of the two streams of one store.
pub(super) struct Lines {
    output: Arc<Output>,
    source: Source,
    working_for: WorkingFor,
    // The guest may ask for the stream several times; all of them continue the same line.
    begun: Arc<Mutex<Vec<u8>>>,
}

impl Lines {
    pub(super) fn new(output: &Arc<Output>, source: Source, working_for: &WorkingFor) -> Self {
        Lines { output: Arc::clone(output), source, working_for: working_for.clone(), begun: Arc::default() }
    }

    fn again(&self) -> Self {
        let mut lines = Lines::new(&self.output, self.source, &self.working_for);
        lines.begun = Arc::clone(&self.begun);
        lines
    }

    fn take(&self, bytes: &[u8]) {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            for part in piece.chunks(LINE_BYTES) {
                begun.extend_from_slice(part);
                if begun.last() == Some(&b'\n') || begun.len() >= LINE_BYTES {
                    let line = String::from_utf8_lossy(&begun);
                    self.output.print(self.source, self.working_for.get(), line.trim_end());
                    begun.clear();
                }
            }
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        // The last of the streams logs what has no line end: often the last words of a guest.
        let unfinished = !self.begun.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        if unfinished && Arc::strong_count(&self.begun) == 1 {
            self.take(b"\n");
        }
    }
}

impl IsTerminal for Lines {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Lines {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // Only WASI 0.3 asks for this form; it is not offered to guests.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.again())
    }
}

#[async_trait]
impl Pollable for Lines {
    async fn ready(&mut self) {}
}

impl OutputStream for Lines {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        // The contract of `check_write`; nothing yields while lines are cut.
        if bytes.len() > WRITE_BYTES {
            return Err(StreamError::trap("more was written than the stream has said that it takes"));
        }
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES)
    }
}
