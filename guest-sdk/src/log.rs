//! Lines for the host's log, which adds the controller and the connection that is being worked for. What is printed to
//! standard output and standard error gets there, too, with less said about it.
//!
//! The host takes 100 lines a second of a controller, and counts the others.

use crate::platform;

/// How much a line matters. The host shows [`Info`](Level::Info) and what is above, unless it is told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Values of variables, and where a program is.
    Trace,
    /// For somebody who looks for a fault.
    Debug,
    /// For somebody who watches.
    Info,
    /// Not as it should be.
    Warn,
    /// Something has failed.
    Error,
}

/// One line; `context` groups lines, and may be empty.
pub fn log(level: Level, context: &str, message: &str) {
    platform::log_line(level, context, message);
}

/// A line at [`Level::Trace`].
pub fn trace(message: impl AsRef<str>) {
    log(Level::Trace, "", message.as_ref());
}

/// A line at [`Level::Debug`].
pub fn debug(message: impl AsRef<str>) {
    log(Level::Debug, "", message.as_ref());
}

/// A line at [`Level::Info`].
pub fn info(message: impl AsRef<str>) {
    log(Level::Info, "", message.as_ref());
}

/// A line at [`Level::Warn`].
pub fn warn(message: impl AsRef<str>) {
    log(Level::Warn, "", message.as_ref());
}

/// A line at [`Level::Error`].
pub fn error(message: impl AsRef<str>) {
    log(Level::Error, "", message.as_ref());
}
