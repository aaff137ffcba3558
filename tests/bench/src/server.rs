//! A server process under test: started on a core of its own, its CPU time and memory read from `/proc`.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::param::clock_ticks_per_second;

use crate::cores::Cores;

pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Held open: a server that prints another line must not die of a broken pipe.
    stdout: BufReader<ChildStdout>,
}

/// CPU time since the start of the process, of all its threads, living and ended.
#[derive(Clone, Copy)]
pub(crate) struct CpuTime {
    pub(crate) user: Duration,
    pub(crate) total: Duration,
}

impl Server {
    /// Runs `command` and waits for the line that says where it listens.
    pub(crate) fn start(mut command: Command, cores: Cores) -> io::Result<Server> {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        // A setting from the environment would make it another server than the one everybody measures.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LAKOU_")) {
            command.env_remove(name);
        }
        let mut child = cores.on_servers_core(|| command.spawn())?;
        let stdout = child.stdout.take().expect("stdout was asked for");
        let mut server = Server { child, address: SocketAddr::from(([0; 4], 0)), stdout: BufReader::new(stdout) };
        let mut line = String::new();
        loop {
            line.clear();
            if server.stdout.read_line(&mut line)? == 0 {
                return Err(io::Error::other(format!("{command:?} ended before it listened")));
            }
            if let Some(address) = line.trim().strip_prefix("listening on http://") {
                server.address = address.parse().map_err(io::Error::other)?;
                return Ok(server);
            }
        }
    }

    /// In steps of 10 ms: windows are long enough for that to be below one percent. (`schedstat` is finer but loses the
    /// time of threads that have ended.)
    pub(crate) fn cpu_time(&self) -> io::Result<CpuTime> {
        let stat = self.read("stat")?;
        // The second field is the program's name in parentheses and may hold anything; counting starts behind it.
        let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace()).into_iter().flatten();
        let mut ticks = fields.skip(11).map_while(|field| field.parse::<u64>().ok());
        let (Some(user), Some(system)) = (ticks.next(), ticks.next()) else {
            return Err(io::Error::other("no CPU time in /proc/PID/stat"));
        };
        let time = |ticks: u64| Duration::from_millis(ticks * 1000 / clock_ticks_per_second());
        Ok(CpuTime { user: time(user), total: time(user + system) })
    }

    /// Resident bytes. From `smaps_rollup`, because the counter in `status` lags by some pages a thread.
    pub(crate) fn resident(&self) -> io::Result<u64> {
        let rollup = self.read("smaps_rollup")?;
        let line = rollup.lines().find_map(|line| line.strip_prefix("Rss:"));
        let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kibibytes.map(|kibibytes| kibibytes * 1024).ok_or_else(|| io::Error::other("no Rss in /proc/PID/smaps_rollup"))
    }

    fn read(&self, file: &str) -> io::Result<String> {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end, and `wait` still collects it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
