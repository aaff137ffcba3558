//! Echo in a closed loop: each of 64 connections keeps so many messages in flight and sends the next one as soon as an
//! answer is there. With one in flight a message travels alone; with 16 they arrive, and can be answered, in batches.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use super::{Aim, Row, Scale, Scenario, aim, microseconds, per, row};
use crate::frame::{self, PAYLOAD};
use crate::latency::Latencies;
use crate::server::Server;
use crate::swarm::Swarm;

const CONNECTIONS: usize = 64;

/// A server that says nothing for so long is not slow, it has lost a message.
const SILENCE: Duration = Duration::from_secs(5);

pub(crate) struct Echo {
    pub(crate) in_flight: usize,
    pub(crate) scale: Scale,
}

const fn rows(cpu: Aim) -> [Row; 7] {
    [
        aim("server CPU a message, us", cpu),
        row("  of it in user space, us"),
        row("messages a second"),
        row("latency p50, us"),
        row("latency p90, us"),
        row("latency p99, us"),
        row("latency p99.9, us"),
    ]
}

/// With one in flight most of the cost is the kernel's, and the same for both.
const ALONE: [Row; 7] = rows(Aim::Ratio(1.5));
/// In batches the kernel's share shrinks, and the boundary of the sandbox is what is left to see.
const BATCHED: [Row; 7] = rows(Aim::Ratio(4.0));

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
        let frames = frame::masked(frame::TEXT, &PAYLOAD).repeat(self.in_flight);
        let now = Instant::now();
        let mut flights = Flights { frames, sent: vec![VecDeque::from(vec![now; self.in_flight]); CONNECTIONS] };
        swarm.send(&flights.frames)?;

        flights.fly(&mut swarm, self.scale.warm_up, &mut Latencies::new())?;
        let mut latencies = Latencies::new();
        let (before, start) = (server.cpu_time()?, Instant::now());
        flights.fly(&mut swarm, self.scale.window, &mut latencies)?;
        let (after, elapsed) = (server.cpu_time()?, start.elapsed());

        let messages = latencies.count();
        let mut figures = vec![
            per(microseconds(after.total - before.total), messages),
            per(microseconds(after.user - before.user), messages),
            1.0 / per(elapsed.as_secs_f64(), messages),
        ];
        figures.extend([0.5, 0.9, 0.99, 0.999].map(|part| latencies.quantile(part)));
        Ok(figures)
    }
}

/// The messages that are on their way.
struct Flights {
    /// As many frames as may be in flight; a shorter run of them is a prefix.
    frames: Vec<u8>,
    /// When each was sent, a queue a connection: answers come in the order of sending.
    sent: Vec<VecDeque<Instant>>,
}

impl Flights {
    fn fly(&mut self, swarm: &mut Swarm, time: Duration, latencies: &mut Latencies) -> io::Result<()> {
        let frame = self.frames.len() / self.sent[0].len();
        let end = Instant::now() + time;
        let mut last_heard = Instant::now();
        while last_heard < end {
            let mut silent = true;
            swarm.turn(SILENCE, |number, client, messages| {
                let now = Instant::now();
                let sent = &mut self.sent[number];
                for _ in 0..messages {
                    let start = sent.pop_front().ok_or_else(|| io::Error::other("more answers than messages"))?;
                    latencies.record(now - start);
                }
                client.send(&self.frames[..messages * frame])?;
                sent.extend(std::iter::repeat_n(now, messages));
                (silent, last_heard) = (false, now);
                Ok(())
            })?;
            if silent && last_heard.elapsed() > SILENCE {
                return Err(io::Error::other("the server stopped answering"));
            }
        }
        Ok(())
    }
}
