//! `bench`: Lakou against a bare tokio-tungstenite server, side by side.
//!
//! ```text
//! for each round, for each scenario:  bare, lakou   (a fresh server process each)
//!     contestants  knows the programs         server    starts one, reads its CPU time and memory
//!     cores        keeps them off the load's  scenario  says what load, and what counts
//!     swarm > client > frame, answer          is the load
//! report  medians, ratios pair by pair, aims
//! ```
//!
//! What this asks for is server CPU a message: that repeats itself, where throughput and latency depend on who shares the
//! machine. Run it on a machine that does nothing else; the last line says how far that was so.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::contestants::Contestants;
use crate::cores::Cores;
use crate::report::{Pair, Section};
use crate::scenario::{Scale, Scenario};
use crate::server::Server;

mod answer;
mod client;
mod contestants;
mod cores;
mod frame;
mod latency;
mod report;
mod scenario;
mod server;
mod swarm;

/// Percent of the server's core that others may take before a pair is run again; the kernel itself takes 1 to 3.
const CALM: f64 = 5.0;

/// Files that a server has open beside its connections: listener, epoll, controllers, cache.
const SPARE_FILES: u64 = 100;

fn main() -> ExitCode {
    match bench(&arguments().get_matches()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn arguments() -> Command {
    let path = |name: &'static str, default: &'static str| {
        Arg::new(name).long(name).default_value(default).value_parser(value_parser!(PathBuf))
    };
    Command::new("bench")
        .about("Measures Lakou against a bare tokio-tungstenite server")
        .arg(path("lakou", "target/release/lakou").help("The server under test"))
        .arg(path("guests", "target/wasm32-wasip2/release").help("The folder that holds echo.wasm and fanout.wasm"))
        .arg(Arg::new("rounds").long("rounds").value_parser(value_parser!(u16).range(1..)).help("Pairs a scenario [5]"))
        .arg(Arg::new("only").long("only").help("Only scenarios whose title contains this text"))
        .arg(flag("quick").help("A smoke run of seconds, for tests: its figures say little"))
        .arg(flag("null").help("The bare server against itself: how far apart do equal servers come out?"))
}

fn flag(name: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue)
}

fn bench(arguments: &ArgMatches) -> io::Result<()> {
    let mut scale = if arguments.get_flag("quick") { Scale::QUICK } else { Scale::FULL };
    if let Some(rounds) = arguments.get_one::<u16>("rounds") {
        scale.rounds = usize::from(*rounds);
    }
    let only = arguments.get_one::<String>("only").map_or("", String::as_str);
    let path = |name| arguments.get_one::<PathBuf>(name).expect("it has a default").as_path();
    let lakou = (!arguments.get_flag("null")).then(|| path("lakou"));
    let contestants = Contestants::find(lakou, path("guests"))?;
    let cores = Cores::take()?;
    allow_files(scale.idle)?;

    let mut scenarios = scenario::all(scale);
    scenarios.retain(|scenario| scenario.title().contains(only));
    if scenarios.is_empty() {
        return Err(io::Error::other(format!("no scenario has `{only}` in its title")));
    }
    let mut sections: Vec<Section> = scenarios
        .iter()
        .map(|scenario| Section { title: scenario.title(), rows: scenario.rows(), pairs: Vec::new() })
        .collect();
    let mut disturbances = Vec::new();
    for round in 1..=scale.rounds {
        for (scenario, section) in scenarios.iter().zip(&mut sections) {
            eprintln!("round {round} of {}: {}", scale.rounds, section.title);
            let (pair, disturbance) = calm_pair(&contestants, scenario.as_ref(), cores, scale.tries)?;
            section.pairs.push(pair);
            disturbances.push(disturbance);
        }
    }
    report::print(contestants.names(), &sections, &disturbances);
    if arguments.get_flag("quick") {
        println!("a quick run: everything works, but the figures and verdicts mean nothing");
    }
    Ok(())
}

/// Raises the limit on open files to what is allowed, for this process and the servers that inherit it: many systems start
/// a program with 1,024.
fn allow_files(connections: usize) -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    let needed = connections as u64 + SPARE_FILES;
    match limit.maximum {
        Some(files) if files < needed => {
            Err(io::Error::other(format!("the limit on open files is {files}; the bench needs {needed} (`ulimit -n`)")))
        }
        _ => Ok(()),
    }
}

/// Runs a pair again if others worked on the server's core meanwhile, but not for ever: on a machine that is never calm
/// the last try counts, and the report says so.
fn calm_pair(
    contestants: &Contestants,
    scenario: &dyn Scenario,
    cores: Cores,
    tries: usize,
) -> io::Result<(Pair, f64)> {
    for _ in 1..tries {
        let (pair, disturbance) = pair(contestants, scenario, cores)?;
        if disturbance <= CALM {
            return Ok((pair, disturbance));
        }
        eprintln!("    again: others took {disturbance:.1} % of the server's core");
    }
    pair(contestants, scenario, cores)
}

/// Runs both servers one after the other; the second value is the share of their core, in percent, that others took.
fn pair(contestants: &Contestants, scenario: &dyn Scenario, cores: Cores) -> io::Result<(Pair, f64)> {
    let mut figures = [Vec::new(), Vec::new()];
    let mut disturbance: f64 = 0.0;
    let runs = contestants.commands(scenario).into_iter().zip(contestants.names()).zip(&mut figures);
    for ((command, name), figures) in runs {
        let server = Server::start(command, cores)?;
        let (busy, used, start) = (cores.servers_core_busy()?, server.cpu_time()?.total, Instant::now());
        *figures = scenario
            .run(&server)
            .map_err(|error| io::Error::other(format!("{name}, {}: {error}", scenario.title())))?;
        let (busy, used) = (cores.servers_core_busy()? - busy, server.cpu_time()?.total - used);
        if let Some((row, _)) = scenario.rows().iter().zip(&*figures).find(|(_, figure)| !figure.is_finite()) {
            return Err(io::Error::other(format!("{name}, {}: no figure: {}", scenario.title(), row.label)));
        }
        let others = 100.0 * busy.saturating_sub(used).as_secs_f64() / start.elapsed().as_secs_f64();
        disturbance = disturbance.max(others);
    }
    Ok((figures, disturbance))
}
