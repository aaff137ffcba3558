//! `lakou compile`, for `lakou serve` alone, which is why no help and no suggestion has it: it compiles one component, from
//! standard input to standard output, in a process that can be ended.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Arg, Command, value_parser};

/// What the command is called.
pub(super) const NAME: &str = "compile";

/// Instances, memory, entries of tables, stack: what the engine of the server is dimensioned for.
const DIMENSIONS: [&str; 4] = ["instances", "memory", "table-elements", "stack"];

fn command() -> Command {
    let number = |name| Arg::new(name).required(true).value_parser(value_parser!(usize));
    Command::new("lakou compile").args(DIMENSIONS.map(number))
}

/// Compiles, and returns the exit code of the process; `arguments` are all that it was started with.
pub(super) fn run(arguments: Vec<OsString>) -> ExitCode {
    let matches = match command().try_get_matches_from(arguments.into_iter().skip(1)) {
        Ok(matches) => matches,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(2);
        }
    };
    let number = |name| matches.get_one::<usize>(name).copied().unwrap_or_default();
    match crate::controller::compile(DIMENSIONS.map(number)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_is_consistent() {
        super::command().debug_assert();
    }
}
