//! The binary `lakou`.

use std::process::ExitCode;

/// The system's allocator keeps the memory of connections that have closed; this one gives it back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    lakou_host::cli::run()
}
