//! A redis-server and two lakou processes on free ports, ended when they are dropped.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::param::clock_ticks_per_second;

/// How long a process may take until it listens.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Processes {
    pub(crate) redis: SocketAddr,
    pub(crate) servers: [SocketAddr; 2],
    children: Vec<Child>,
    /// Held open: a server that prints another line must not die of a broken pipe.
    _outputs: Vec<BufReader<ChildStdout>>,
    folder: PathBuf,
}

impl Processes {
    pub(crate) fn start(lakou: &Path, guests: &Path) -> io::Result<Processes> {
        let folder = std::env::temp_dir().join(format!("lakou-bench-servers-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        for guest in ["probe.wasm", "postbox.wasm"] {
            fs::copy(guests.join(guest), folder.join(guest))
                .map_err(|error| io::Error::other(format!("{guest}: {error} (`make bench` builds it)")))?;
        }
        let nobody = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut processes =
            Processes { redis: nobody, servers: [nobody; 2], children: Vec::new(), _outputs: Vec::new(), folder };
        processes.redis = processes.start_redis()?;
        for index in 0..2 {
            processes.servers[index] = processes.start_server(lakou)?;
        }
        Ok(processes)
    }

    fn start_redis(&mut self) -> io::Result<SocketAddr> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--port", &address.port().to_string()]);
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null());
        let started = command.spawn();
        self.children
            .push(started.map_err(|error| io::Error::other(format!("redis-server: {error} (`make redis-server`)")))?);
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if began.elapsed() > PATIENCE {
                return Err(io::Error::other("redis-server does not listen"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(address)
    }

    fn start_server(&mut self, lakou: &Path) -> io::Result<SocketAddr> {
        let mut command = Command::new(lakou.canonicalize()?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--redis", &format!("redis://{}", self.redis)]);
        // How fast a server can emit is what is asked, not how fast one controller may.
        command.args(["--event-rate", "100000000"]);
        // The identities of this benchmark bear no controller's name.
        command.args(["--messaging", "*"]);
        command.arg("--controllers").arg(&self.folder).current_dir(&self.folder);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LAKOU_")) {
            command.env_remove(name);
        }
        let mut child = command.spawn()?;
        let mut output = BufReader::new(child.stdout.take().expect("stdout was asked for"));
        self.children.push(child);
        let mut line = String::new();
        loop {
            line.clear();
            if output.read_line(&mut line)? == 0 {
                return Err(io::Error::other("lakou ended before it listened"));
            }
            if let Some(address) = line.trim().strip_prefix("listening on http://") {
                self._outputs.push(output);
                return address.parse().map_err(io::Error::other);
            }
        }
    }

    /// CPU time of Redis so far, in steps of 10 ms.
    pub(crate) fn cpu_of_redis(&self) -> io::Result<Duration> {
        let id = self.children.first().map(Child::id).unwrap_or_default();
        let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
        let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace()).into_iter().flatten();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Ok(Duration::from_millis(ticks * 1000 / clock_ticks_per_second()))
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for child in self.children.iter_mut().rev() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}
