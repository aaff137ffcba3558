//! `wasi:logging`: a guest's lines in the host's log, with the connection that the guest says it is working for.

use wasmtime::StoreContextMut;
use wasmtime::component::{HasSelf, Linker};

use crate::controller::bindings::wasi::logging::logging::{self, Host, Level};
use crate::controller::state::GuestState;

/// The same interface under the name that it had before it had a version.
const WITHOUT_VERSION: &str = "wasi:logging/logging";

pub(super) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    logging::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    linker.instance(WITHOUT_VERSION)?.func_wrap(
        "log",
        |mut store: StoreContextMut<'_, GuestState>, (level, context, message): (Level, String, String)| {
            store.data_mut().log(level, context, message)
        },
    )
}

impl Host for GuestState {
    fn log(&mut self, level: Level, context: String, message: String) -> wasmtime::Result<()> {
        let level = match level {
            Level::Trace => tracing::Level::TRACE,
            Level::Debug => tracing::Level::DEBUG,
            Level::Info => tracing::Level::INFO,
            Level::Warn => tracing::Level::WARN,
            Level::Error | Level::Critical => tracing::Level::ERROR,
        };
        self.class.output.line(level, self.batch.connection(), &context, &message);
        Ok(())
    }
}
