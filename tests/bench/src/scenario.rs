//! What is measured: a scenario is a kind of load and the rows of the table that it fills, one figure a row and run.

use std::io;
use std::time::Duration;

use crate::server::Server;

mod burst;
mod echo;
mod fanout;
mod flights;
mod idle;
mod requests;

pub(crate) trait Scenario {
    fn title(&self) -> String;

    /// What the bare server is asked to do; Lakou does it by the path that a client connects to.
    fn bare_mode(&self) -> &'static str;

    /// Settings of Lakou that it is about.
    fn settings(&self) -> &'static [&'static str] {
        &[]
    }

    fn rows(&self) -> &'static [Row];

    /// Loads a server that was started for this run and returns a figure a row.
    fn run(&self, server: &Server) -> io::Result<Vec<f64>>;
}

pub(crate) struct Row {
    pub(crate) label: &'static str,
    pub(crate) aim: Option<Aim>,
}

/// What Lakou is to stay at or below.
#[derive(Clone, Copy)]
pub(crate) enum Aim {
    /// So many times the bare server's figure.
    Ratio(f64),
    /// This figure, whatever the bare server's.
    Figure(f64),
}

const fn row(label: &'static str) -> Row {
    Row { label, aim: None }
}

const fn aim(label: &'static str, aim: Aim) -> Row {
    Row { label, aim: Some(aim) }
}

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) rounds: usize,
    /// How often a pair is run at most until nobody has disturbed it.
    pub(crate) tries: usize,
    /// Load before the measurement: caches fill, instances open, buffers grow to what they will be.
    pub(crate) warm_up: Duration,
    pub(crate) window: Duration,
    /// Receivers of a fan-out.
    pub(crate) listeners: usize,
    /// Connections of the memory scenario: two processes of that many files, below the usual limit of 20,000 each.
    pub(crate) idle: usize,
    /// Connections that a large message comes and goes on: fewer, for the bare server keeps more than 2 MiB of each.
    pub(crate) bursts: usize,
    /// How long memory may take to settle after connections came or went (allocators give back late).
    pub(crate) settle: Duration,
    /// How long connections are silent until the host has given back all that it keeps for those in use.
    pub(crate) silence: Duration,
    /// How long after a burst its memory is to be given back.
    pub(crate) minute: Duration,
}

impl Scale {
    pub(crate) const FULL: Scale = Scale {
        rounds: 5,
        tries: 2,
        warm_up: Duration::from_secs(1),
        window: Duration::from_secs(3),
        listeners: 1_000,
        idle: 10_000,
        bursts: 1_000,
        settle: Duration::from_secs(2),
        silence: Duration::from_secs(25),
        minute: Duration::from_secs(60),
    };

    /// Proves that everything runs; the figures say little.
    pub(crate) const QUICK: Scale = Scale {
        rounds: 1,
        tries: 1,
        warm_up: Duration::from_millis(100),
        window: Duration::from_millis(300),
        listeners: 50,
        idle: 200,
        bursts: 20,
        settle: Duration::from_millis(200),
        silence: Duration::from_millis(300),
        minute: Duration::from_millis(500),
    };
}

pub(crate) fn all(scale: Scale) -> Vec<Box<dyn Scenario>> {
    vec![
        Box::new(echo::Echo { in_flight: 1, scale }),
        Box::new(echo::Echo { in_flight: 16, scale }),
        Box::new(fanout::Fanout { way: fanout::Way::Event, scale }),
        Box::new(fanout::Fanout { way: fanout::Way::Topic, scale }),
        Box::new(requests::Requests { reused: false, scale }),
        Box::new(requests::Requests { reused: true, scale }),
        Box::new(idle::Idle { scale }),
        Box::new(burst::Burst { scale }),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "figures of a table; counts stay far below 2^52")]
fn per(total: f64, count: u64) -> f64 {
    total / count as f64
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

#[expect(clippy::cast_precision_loss, reason = "resident memory stays far below 2^52 bytes")]
fn kibibytes(bytes: u64) -> f64 {
    bytes as f64 / 1024.0
}
