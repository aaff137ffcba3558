//! One connection speaks, many hear it: by an event, which calls each receiver's method, which sends; or by a topic,
//! which the host fans out by itself. The bare server relays over a queue a connection in both cases. The next message
//! starts when the last one has reached everybody.

use std::io;
use std::time::{Duration, Instant};

use super::{Aim, Row, Scale, Scenario, aim, microseconds, per, row};
use crate::frame::{self, PAYLOAD};
use crate::latency::Latencies;
use crate::server::Server;
use crate::swarm::Swarm;

pub(crate) struct Fanout {
    pub(crate) way: Way,
    pub(crate) scale: Scale,
}

/// The `fanout` guest takes the kind of the speaker's message as the way to fan it out.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    Event,
    Topic,
}

const fn rows(cpu: Row) -> [Row; 5] {
    [
        cpu,
        row("  of it in user space, us"),
        row("deliveries a second"),
        row("until all have it p50, us"),
        row("until all have it p99, us"),
    ]
}

const BY_EVENT: [Row; 5] = rows(aim("server CPU a delivery, us", Aim::Ratio(1.05)));
const BY_TOPIC: [Row; 5] = rows(aim("server CPU a delivery, us", Aim::Ratio(0.95)));

impl Scenario for Fanout {
    fn title(&self) -> String {
        let way = match self.way {
            Way::Event => "event",
            Way::Topic => "topic",
        };
        format!("fan-out by {way} to {} connections x {} B", self.scale.listeners, PAYLOAD.len())
    }

    fn bare_mode(&self) -> &'static str {
        "relay"
    }

    fn rows(&self) -> &'static [Row] {
        match self.way {
            Way::Event => &BY_EVENT,
            Way::Topic => &BY_TOPIC,
        }
    }

    fn run(&self, server: &Server) -> io::Result<Vec<f64>> {
        let listeners = self.scale.listeners;
        let mut swarm = Swarm::new(server.address)?;
        swarm.join("/fanout/listener", listeners)?;
        swarm.join("/fanout/speaker", 1)?;
        let opcode = match self.way {
            Way::Event => frame::TEXT,
            Way::Topic => frame::BINARY,
        };
        let frame = frame::masked(opcode, &PAYLOAD);
        let mut speak_for = |time: Duration, latencies: &mut Latencies| -> io::Result<()> {
            let end = Instant::now() + time;
            while Instant::now() < end {
                let start = Instant::now();
                swarm.client(listeners).send(&frame)?;
                swarm.expect_one_each(listeners)?;
                latencies.record(start.elapsed());
            }
            Ok(())
        };

        speak_for(self.scale.warm_up, &mut Latencies::new())?;
        let mut latencies = Latencies::new();
        let (before, start) = (server.cpu_time()?, Instant::now());
        speak_for(self.scale.window, &mut latencies)?;
        let (after, elapsed) = (server.cpu_time()?, start.elapsed());

        let deliveries = latencies.count() * listeners as u64;
        Ok(vec![
            per(microseconds(after.total - before.total), deliveries),
            per(microseconds(after.user - before.user), deliveries),
            1.0 / per(elapsed.as_secs_f64(), deliveries),
            latencies.quantile(0.5),
            latencies.quantile(0.99),
        ])
    }
}
