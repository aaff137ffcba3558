//! Echo in a closed loop, over 64 connections. With one in flight a message travels alone; with 16 they arrive, and can be
//! answered, in batches.

use std::io;

use super::{Aim, Row, Scale, Scenario, flights};
use crate::frame::{self, PAYLOAD};
use crate::server::Server;
use crate::swarm::Swarm;

const CONNECTIONS: usize = 64;

pub(crate) struct Echo {
    pub(crate) in_flight: usize,
    pub(crate) scale: Scale,
}

const CPU: &str = "server CPU a message, us";

/// With one in flight most of the cost is the kernel's, and the same for both.
const ALONE: [Row; 7] = flights::rows(CPU, Aim::Ratio(1.08));
/// In batches the kernel's share shrinks, and the boundary of the sandbox is what is left to see.
const BATCHED: [Row; 7] = flights::rows(CPU, Aim::Ratio(1.35));

impl Scenario for Echo {
    fn title(&self) -> String {
        format!("echo, {CONNECTIONS} connections x {} B, {} in flight", PAYLOAD.len(), self.in_flight)
    }

    fn bare_mode(&self) -> &'static str {
        "echo"
    }

    fn rows(&self) -> &'static [Row] {
        if self.in_flight == 1 { &ALONE } else { &BATCHED }
    }

    fn run(&self, server: &Server) -> io::Result<Vec<f64>> {
        let mut swarm = Swarm::new(server.address)?;
        swarm.join("/echo", CONNECTIONS)?;
        let frame = frame::masked(frame::TEXT, &PAYLOAD);
        flights::measure(server, &mut swarm, &frame, (CONNECTIONS, self.in_flight), self.scale)
    }
}
