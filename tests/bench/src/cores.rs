//! One core for the server, another for the load: neither can take time from the other, and a server sees a machine of
//! one core, which makes its CPU time comparable with another's.

use std::fs;
use std::io;
use std::time::Duration;

use rustix::param::clock_ticks_per_second;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

#[derive(Clone, Copy)]
pub(crate) struct Cores {
    server: usize,
    load: usize,
}

impl Cores {
    /// Takes the first two cores that this process may use, and moves it to the second.
    pub(crate) fn take() -> io::Result<Cores> {
        let allowed = sched_getaffinity(None)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let (Some(server), Some(load)) = (cores.next(), cores.next()) else {
            return Err(io::Error::other("the bench needs two cores: one for the server, one for the load"));
        };
        move_to(load)?;
        Ok(Cores { server, load })
    }

    /// Runs `start` on the server's core: the process that it spawns inherits the core and stays there.
    pub(crate) fn on_servers_core<T>(self, start: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        move_to(self.server)?;
        let started = start();
        move_to(self.load)?;
        started
    }

    /// How long the server's core has been busy since boot, whoever it worked for.
    pub(crate) fn servers_core_busy(self) -> io::Result<Duration> {
        let stat = fs::read_to_string("/proc/stat")?;
        let name = format!("cpu{} ", self.server);
        let line = stat.lines().find_map(|line| line.strip_prefix(name.as_str()));
        let ticks: Vec<u64> = line.into_iter().flat_map(str::split_whitespace).flat_map(str::parse).collect();
        // user, nice, system, idle, iowait, irq, softirq, steal; what follows is counted in user already.
        let [user, nice, system, _, _, irq, softirq, steal, ..] = ticks[..] else {
            return Err(io::Error::other(format!("no {name}in /proc/stat")));
        };
        Ok(Duration::from_millis((user + nice + system + irq + softirq + steal) * 1000 / clock_ticks_per_second()))
    }
}

fn move_to(core: usize) -> io::Result<()> {
    let mut only = CpuSet::new();
    only.set(core);
    Ok(sched_setaffinity(None, &only)?)
}
