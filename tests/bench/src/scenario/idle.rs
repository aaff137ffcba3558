//! What a connection costs that does nothing: resident memory of the server, before and after many connections came,
//! exchanged one message and fell silent, and once more after they have gone.

use std::io;

use super::{Aim, Row, Scale, Scenario, aim, kibibytes, microseconds, per, row};
use crate::frame::{self, PAYLOAD};
use crate::server::Server;
use crate::swarm::Swarm;

/// Connections that come and go first, so that what the server needs once is not counted a connection.
const FIRST: usize = 16;

pub(crate) struct Idle {
    pub(crate) scale: Scale,
}

const ROWS: [Row; 5] = [
    aim("RSS a connection, KiB", Aim::Figure(4.0)),
    row("RSS a connection soon after its message, KiB"),
    aim("RSS kept after all closed, KiB a connection", Aim::Figure(0.3)),
    aim("RSS of the server without connections, MiB", Aim::Figure(25.0)),
    aim("server CPU to open one and echo once, us", Aim::Ratio(1.15)),
];

impl Scenario for Idle {
    fn title(&self) -> String {
        format!("idle memory, {} connections", self.scale.idle)
    }

    fn bare_mode(&self) -> &'static str {
        "echo"
    }

    fn rows(&self) -> &'static [Row] {
        &ROWS
    }

    fn run(&self, server: &Server) -> io::Result<Vec<f64>> {
        let count = self.scale.idle;
        let greeted = |count: usize| -> io::Result<Swarm> {
            let mut swarm = Swarm::new(server.address)?;
            swarm.join("/echo", count)?;
            swarm.send(&frame::masked(frame::TEXT, &PAYLOAD))?;
            swarm.expect(count)?;
            Ok(swarm)
        };
        greeted(FIRST)?.close()?;
        std::thread::sleep(self.scale.settle);
        let empty = server.resident()?;

        let before = server.cpu_time()?;
        let mut swarm = greeted(count)?;
        let after = server.cpu_time()?;
        swarm.idle(self.scale.settle)?;
        let soon = server.resident()?;
        swarm.idle(self.scale.silence)?;
        let full = server.resident()?;

        swarm.close()?;
        std::thread::sleep(self.scale.settle);
        // Allocators give back in passing, while they are used: a server that nobody speaks to any more keeps everything.
        greeted(FIRST)?.close()?;
        std::thread::sleep(self.scale.settle);
        let left = server.resident()?;

        let connections = count as u64;
        Ok(vec![
            per(kibibytes(full) - kibibytes(empty), connections),
            per(kibibytes(soon) - kibibytes(empty), connections),
            per(kibibytes(left) - kibibytes(empty), connections),
            kibibytes(empty) / 1024.0,
            per(microseconds(after.total - before.total), connections),
        ])
    }
}
