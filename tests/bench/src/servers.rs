//! `bench-servers`: two servers on one Redis, beside raw commands of the same Redis in the same run.
//!
//! ```text
//! each round:  a redis-server, two lakou processes    processes  starts and ends them, reads their CPU time
//!              unicasts, broadcasts, notifications    trips      what clients of both servers see
//!              in turn with raw commands              raw        plain connections to Redis
//! table        medians over the rounds
//! ```
//!
//! Four processes and the load share the machine, as they would not in production: look at ratios, in which that cancels
//! out in part.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgAction, Command, value_parser};

use self::processes::Processes;

#[expect(dead_code, reason = "the other program counts, this one does not")]
#[path = "latency.rs"]
mod latency;
#[path = "servers/processes.rs"]
mod processes;
#[path = "servers/raw.rs"]
mod raw;
#[path = "servers/trips.rs"]
mod trips;

/// One line of the table: what it is, and its figure in each round.
struct Line {
    label: &'static str,
    unit: &'static str,
    figures: Vec<f64>,
}

fn main() -> ExitCode {
    let path = |name: &'static str, default: &'static str| {
        Arg::new(name).long(name).default_value(default).value_parser(value_parser!(PathBuf))
    };
    let matches = Command::new("bench-servers")
        .about("Measures Lakou on two servers against raw Redis commands")
        .arg(path("lakou", "target/release/lakou").help("The server under test"))
        .arg(path("guests", "target/wasm32-wasip2/release").help("The folder with probe.wasm and postbox.wasm"))
        .arg(Arg::new("rounds").long("rounds").value_parser(value_parser!(u16).range(1..)).default_value("5"))
        .arg(Arg::new("quick").long("quick").action(ArgAction::SetTrue).help("A smoke run: its figures say little"))
        .get_matches();
    let file = |name| matches.get_one::<PathBuf>(name).expect("it has a default");
    let rounds = if matches.get_flag("quick") { 1 } else { *matches.get_one("rounds").expect("it has a default") };
    let trips = if matches.get_flag("quick") { 20 } else { 2_000 };
    match bench(file("lakou"), file("guests"), rounds, trips) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-servers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bench(lakou: &std::path::Path, guests: &std::path::Path, rounds: u16, trips: u32) -> io::Result<()> {
    let mut lines: Vec<Line> = Vec::new();
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        let processes = Processes::start(lakou, guests)?;
        let figures = trips::measure(&processes, trips)?;
        if lines.is_empty() {
            lines = figures.iter().map(|(label, unit, _)| Line { label, unit, figures: Vec::new() }).collect();
        }
        if let Some((label, ..)) = figures.iter().find(|(.., figure)| !figure.is_finite()) {
            return Err(io::Error::other(format!("no figure: {label}")));
        }
        for (line, (.., figure)) in lines.iter_mut().zip(figures) {
            line.figures.push(figure);
        }
    }
    println!();
    for line in &lines {
        println!("{:58}{:>10.1} {}", line.label, median(line.figures.clone()), line.unit);
    }
    let get = |label: &str| lines.iter().find(|line| line.label == label).map_or(&[][..], |line| &line.figures);
    let ratio = |label: &str, above: &[f64], below: &[f64]| {
        let ratios = above.iter().zip(below).map(|(above, below)| above / below).collect();
        println!("{label:58}{:>10.2}", median(ratios));
    };
    let raw = get(trips::RAW);
    let share: Vec<f64> = get(trips::ACROSS).iter().zip(get(trips::WITHIN)).map(|(all, own)| all - own).collect();
    println!();
    ratio("unicast across servers, client to client / raw trip", get(trips::ACROSS), raw);
    ratio("what the way between the servers adds to it / raw trip", &share, raw);
    ratio("notify to a mailbox / raw XADD", get(trips::MAILBOX), get(trips::XADD));
    Ok(())
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
