//! What a connection keeps of the largest thing that it has ever done: each of many echoes one message of 1 MiB, one after the
//! other, and resident memory a minute later is held against what it was before.

use std::io;

use super::{Aim, Row, Scale, Scenario, aim, kibibytes, per, row};
use crate::frame;
use crate::server::Server;
use crate::swarm::Swarm;

/// The longest message that the host takes by default.
const LARGE: usize = 1024 * 1024;

pub(crate) struct Burst {
    pub(crate) scale: Scale,
}

const ROWS: [Row; 3] = [
    aim("RSS a connection, KiB", Aim::Figure(4.0)),
    row("  of it since the burst"),
    row("RSS after the last of them, KiB a connection"),
];

impl Scenario for Burst {
    fn title(&self) -> String {
        format!("memory a minute after 1 MiB each, {} of them", self.scale.bursts)
    }

    fn bare_mode(&self) -> &'static str {
        "echo"
    }

    fn rows(&self) -> &'static [Row] {
        &ROWS
    }

    fn run(&self, server: &Server) -> io::Result<Vec<f64>> {
        let message = vec![b'm'; LARGE];
        let (frame, echo) = (frame::masked(frame::BINARY, &message), frame::plain(frame::BINARY, &message));
        // What the server needs once is not counted a connection.
        let mut first = Swarm::new(server.address)?;
        first.join("/echo", 1)?;
        first.exchange(0, &frame, &echo)?;
        first.close()?;
        std::thread::sleep(self.scale.silence);
        let empty = server.resident()?;

        let mut swarm = Swarm::new(server.address)?;
        swarm.join("/echo", self.scale.bursts)?;
        swarm.idle(self.scale.silence)?;
        let idle = server.resident()?;
        for number in 0..self.scale.bursts {
            swarm.exchange(number, &frame, &echo)?;
        }
        let burst = server.resident()?;
        swarm.idle(self.scale.minute)?;
        let left = server.resident()?;

        let count = self.scale.bursts as u64;
        let each = |bytes: u64| per(kibibytes(bytes) - kibibytes(empty), count);
        Ok(vec![each(left), each(left) - each(idle), each(burst)])
    }
}
