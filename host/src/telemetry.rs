//! Logs: one line an event on standard error, fields before text. `LAKOU_LOG` filters them like
//! `info,lakou_host::session=debug`; the default is `info`.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging for this process.
///
/// # Errors
///
/// The filter is not one; what it says is on one line.
pub(crate) fn start(filter: Option<&str>) -> Result<(), String> {
    let filter = filter.filter(|filter| !filter.is_empty()).unwrap_or("info");
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        format!("LAKOU_LOG: is {filter:?}: {error}; a filter is wanted, like info or warn,guest=info")
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    Ok(())
}
