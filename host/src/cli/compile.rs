//! `lakou compile`, for `lakou serve` alone, which is why the help does not have it: it compiles one component, from standard
//! input to standard output, in a process that can be ended.

use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command, value_parser};

/// Instances, memory, entries of tables, stack: what the engine of the server is dimensioned for.
const DIMENSIONS: [&str; 4] = ["instances", "memory", "table-elements", "stack"];

pub(super) fn command() -> Command {
    let number = |name| Arg::new(name).required(true).value_parser(value_parser!(usize));
    Command::new("compile").hide(true).args(DIMENSIONS.map(number))
}

/// Compiles, and returns the exit code of the process.
pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let number = |name| matches.get_one::<usize>(name).copied().unwrap_or_default();
    match crate::controller::compile(DIMENSIONS.map(number)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::FAILURE
        }
    }
}
