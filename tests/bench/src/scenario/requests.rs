//! Plain HTTP requests, one at a time on each of 64 connections that are kept: the controller answers each in an instance of its
//! own, or in one that has answered others, the bare server out of hyper.

use std::io;

use super::{Aim, Row, Scale, Scenario, flights};
use crate::answer;
use crate::frame::PAYLOAD;
use crate::server::Server;
use crate::swarm::Swarm;

const CONNECTIONS: usize = 64;

pub(crate) struct Requests {
    /// Whether an instance answers many.
    pub(crate) reused: bool,
    pub(crate) scale: Scale,
}

const ROWS: [Row; 7] = flights::rows("server CPU a request, us", Aim::Figure(50.0));
const ROWS_REUSED: [Row; 7] = flights::rows("server CPU a request, us", Aim::Figure(30.0));

impl Scenario for Requests {
    fn title(&self) -> String {
        let instances = if self.reused { "reused instances" } else { "an instance each" };
        format!("plain HTTP, {CONNECTIONS} x {} B, {instances}", PAYLOAD.len())
    }

    fn bare_mode(&self) -> &'static str {
        "http"
    }

    fn settings(&self) -> &'static [&'static str] {
        if self.reused { &["--requests-per-instance", "1000"] } else { &[] }
    }

    fn rows(&self) -> &'static [Row] {
        if self.reused { &ROWS_REUSED } else { &ROWS }
    }

    fn run(&self, server: &Server) -> io::Result<Vec<f64>> {
        let mut swarm = Swarm::new(server.address)?;
        swarm.join_plain(CONNECTIONS)?;
        flights::measure(server, &mut swarm, &answer::request("/fanout/plain"), (CONNECTIONS, 1), self.scale)
    }
}
