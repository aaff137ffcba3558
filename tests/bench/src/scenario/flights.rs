//! A closed loop: each client keeps so many messages in flight and sends the next one as soon as an answer is there.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use super::{Aim, Row, Scale, aim, microseconds, per, row};
use crate::latency::Latencies;
use crate::server::Server;
use crate::swarm::Swarm;

/// A server that says nothing for so long is not slow, it has lost a message.
const SILENCE: Duration = Duration::from_secs(5);

/// The rows of [`measure`].
pub(super) const fn rows(what: &'static str, cpu: Aim) -> [Row; 7] {
    [
        aim(what, cpu),
        row("  of it in user space, us"),
        row("messages a second"),
        row("latency p50, us"),
        row("latency p90, us"),
        row("latency p99, us"),
        row("latency p99.9, us"),
    ]
}

/// Has `count` clients of a swarm send `message`, each so many times at once, and gives a figure for each of the rows.
pub(super) fn measure(
    server: &Server,
    swarm: &mut Swarm,
    message: &[u8],
    (count, in_flight): (usize, usize),
    scale: Scale,
) -> io::Result<Vec<f64>> {
    let now = Instant::now();
    let sent = vec![VecDeque::from(vec![now; in_flight]); count];
    let mut flights = Flights { frames: message.repeat(in_flight), sent };
    swarm.send(&flights.frames)?;

    flights.fly(swarm, scale.warm_up, &mut Latencies::new())?;
    let mut latencies = Latencies::new();
    let (before, start) = (server.cpu_time()?, Instant::now());
    flights.fly(swarm, scale.window, &mut latencies)?;
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
