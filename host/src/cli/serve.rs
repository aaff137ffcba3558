//! `lakou serve`: says what is mounted and where, and serves until a signal.

use std::process::ExitCode;

use super::signals::{self, Ends};
use crate::config::Sources;
use crate::server::Server;
use crate::telemetry;

/// Serves, and returns the exit code of the process.
pub(super) fn run(sources: &Sources) -> ExitCode {
    let filter = sources.variables.iter().find(|(name, _)| name == "LAKOU_LOG").map(|(_, filter)| filter.as_str());
    if let Err(wrong) = telemetry::start(filter) {
        eprintln!("lakou: {wrong}");
        return ExitCode::from(2);
    }
    let mut config = match sources.config() {
        Ok(config) => config,
        Err(error) => {
            eprintln!("lakou: {error}");
            return ExitCode::from(2);
        }
    };
    // Without it this process compiles by itself.
    config.compiler = std::env::current_exe().ok();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("lakou: the runtime does not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(async {
        // Before anything is compiled, which may take minutes. Until the server is there, those that mean the end end it at once.
        if let Err(error) = signals::note_the_others() {
            eprintln!("lakou: signals can not be handled: {error}");
            return ExitCode::FAILURE;
        }
        let server = match Server::bind(config).await {
            Ok(server) => server,
            Err(error) => {
                eprintln!("lakou: {error}");
                return ExitCode::FAILURE;
            }
        };
        let signals = match Ends::new() {
            Ok(signals) => signals,
            Err(error) => {
                eprintln!("lakou: signals can not be awaited: {error}");
                return ExitCode::FAILURE;
            }
        };
        announce(&server);
        serve(server, signals).await
    });
    // A guest's blocking call must not hold up the end of the process.
    runtime.shutdown_background();
    code
}

/// The first signal drains, the second one ends at once.
async fn serve(server: Server, mut signals: Ends) -> ExitCode {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = server.run(async {
        // A dropped sender stops the server, too.
        let _ = stopped.await;
    });
    let mut running = std::pin::pin!(running);
    tokio::select! {
        () = running.as_mut() => return ExitCode::SUCCESS,
        () = signals.first() => drop(stop),
    }
    tokio::select! {
        () = running => ExitCode::SUCCESS,
        () = signals.second() => {
            tracing::warn!("a second signal: leaving without draining");
            ExitCode::FAILURE
        }
    }
}

fn announce(server: &Server) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    for mount in server.mounts() {
        let _ = writeln!(out, "{mount}");
    }
    for error in server.rejected() {
        tracing::error!("not served: {error}");
    }
    if server.mounts().is_empty() {
        tracing::warn!("no controller is mounted: put *.wasm files into the folder and start again");
    }
    let _ = writeln!(out, "listening on http://{}", server.address());
    let _ = out.flush();
}
