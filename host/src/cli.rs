//! The command line: what is asked for, as data. `serve` is a command of its own.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};

use crate::config::{Sources, settings};

mod compile;
mod serve;
mod signals;

/// Runs the command that the process was started with, and returns its exit code: 0 if all went well, 1 if the command
/// failed, 2 if it was not understood.
pub fn run() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // Not a command among the others, so that nobody is told of it.
    if arguments.get(1).is_some_and(|command| command == compile::NAME) {
        return compile::run(arguments);
    }
    let matches = match command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match matches.subcommand() {
        Some(("serve", matches)) => match sources(matches) {
            Ok(sources) => serve::run(&sources),
            Err(wrong) => {
                eprintln!("lakou: {wrong}");
                ExitCode::from(2)
            }
        },
        Some(("settings", _)) => print(&crate::config::page()),
        _ => ExitCode::from(2),
    }
}

/// Writes a text to standard output, which may be closed before its end.
fn print(text: &str) -> ExitCode {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn command() -> Command {
    let settings = settings()
        .map(|setting| Arg::new(setting.name).long(setting.name).value_name(setting.value_name()).help(setting.help()));
    let config = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .help("configuration file [default: lakou.toml, if it is there] [env: LAKOU_CONFIG]");
    Command::new("lakou")
        .about("WebSocket and HTTP host for controllers compiled to WebAssembly")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("serve")
                .about("Serves every controller of a folder")
                .after_help("Every setting can stand in lakou.toml under the name of its flag.\nLAKOU_LOG filters the log [default: info].")
                .arg(config)
                .args(settings),
        )
        .subcommand(Command::new("settings").about("Prints the reference of all settings, in Markdown"))
}

fn sources(matches: &ArgMatches) -> Result<Sources, String> {
    let flag = |name: &'static str| matches.get_one::<String>(name).cloned();
    let mut variables = Vec::new();
    for (name, value) in std::env::vars_os() {
        match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => variables.push((name, value)),
            (Ok(name), Err(_)) if name.starts_with("LAKOU_") => return Err(format!("{name}: is no UTF-8")),
            // It is nobody's that we know.
            _ => {}
        }
    }
    Ok(Sources {
        file: flag("config").map(Into::into),
        flags: settings().filter_map(|setting| Some((setting.name.to_owned(), flag(setting.name)?))).collect(),
        variables,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command().debug_assert();
    }
}
