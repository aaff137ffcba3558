//! Logs: one line an event on standard error, fields before text. `LAKOU_LOG` filters them like
//! `info,lakou_host::session=debug`; the default is `info` without the words of `wasmtime_wasi_http`, which any guest could have
//! it say without end, and which the guest is told anyway.

use std::io::IsTerminal;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const DEFAULT: &str = "info,wasmtime_wasi_http=off";

/// Starts logging for this process.
///
/// # Errors
///
/// The filter is not one; what it says is on one line.
pub(crate) fn start(filter: Option<&str>) -> Result<(), String> {
    let filter = filter.filter(|filter| !filter.is_empty()).unwrap_or(DEFAULT);
    // By target and level only: filtering by fields would bring a whole regular-expression engine.
    let targets: Targets = filter.parse().map_err(|error| {
        format!("LAKOU_LOG: is {filter:?}: {error}; a filter is wanted, like info or warn,guest=info")
    })?;
    let lines =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    tracing_subscriber::registry().with(lines).with(targets).init();
    Ok(())
}
