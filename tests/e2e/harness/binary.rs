//! The real `lakou` binary as a child process. Only this child is ever signalled or ended, by its own id.

use super::folder::{Folder, shared_cache};
use super::wait::eventually;
use super::{guests, http::Ask, raw::RawClient, ws::Knock, ws::WsClient};
use rustix::process::{Pid, Resource, Rlimit, Signal, WaitOptions, kill_process, prlimit, waitpid};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

/// A command line that is being written, in a folder of its own where a `lakou.toml` and controllers may lie.
pub(crate) struct Call {
    command: Command,
    folder: Folder,
    /// Where standard error goes, if not to the test.
    complaints: Option<std::fs::File>,
}

/// A child process and what it has printed.
pub(crate) struct Binary {
    child: Child,
    stdout: Arc<Mutex<Vec<String>>>,
    stderr: Arc<Mutex<Vec<String>>>,
    _folder: Folder,
}

impl Call {
    /// `lakou serve`, without any of this process's `LAKOU_` variables.
    pub(crate) fn serve() -> Self {
        Call::lakou("serve")
    }

    /// `lakou serve` that may open so many files, as after `ulimit -n`.
    pub(crate) fn serve_with_files(files: u32) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -n \"$0\" && exec \"$@\"", &files.to_string()]).arg(guests::binary());
        Call::of(command, "serve")
    }

    /// `lakou` with any command.
    pub(crate) fn lakou(name: &str) -> Self {
        Call::of(Command::new(guests::binary()), name)
    }

    fn of(mut command: Command, name: &str) -> Self {
        let folder = Folder::new();
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("LAKOU_") {
                command.env_remove(variable);
            }
        }
        command.arg(name).current_dir(folder.path()).env("LAKOU_CACHE", shared_cache()).env("LAKOU_MESSAGING", "*");
        Call { command, folder, complaints: None }
    }

    /// Puts guests into the folder that is served by default.
    pub(crate) fn guests(self, names: &[&str]) -> Self {
        for name in names {
            self.folder.write(&format!("controllers/{name}.wasm"), guests::wasm(name));
        }
        self
    }

    /// Writes a file beside it.
    pub(crate) fn file(self, name: &str, content: &str) -> Self {
        self.folder.write(name, content);
        self
    }

    /// Writes a file of any content beside it.
    pub(crate) fn bytes(self, name: &str, content: &[u8]) -> Self {
        self.folder.write(name, content);
        self
    }

    pub(crate) fn args(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// On a free port.
    pub(crate) fn anywhere(self) -> Self {
        self.args(&["--listen", "127.0.0.1:0"])
    }

    /// Writes its log into this file, and not to where the test sees it.
    pub(crate) fn log_into(mut self, path: &str) -> Self {
        self.complaints = Some(std::fs::OpenOptions::new().write(true).open(path).expect("a file to write to"));
        self
    }

    /// Starts it.
    pub(crate) fn start(mut self) -> Binary {
        self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(file) = self.complaints {
            self.command.stderr(file);
        }
        let mut child = self.command.spawn().expect("the binary can be started");
        let stdout = lines(child.stdout.take().expect("piped"));
        let stderr = child.stderr.take().map(lines).unwrap_or_default();
        Binary { child, stdout, stderr, _folder: self.folder }
    }

    /// Starts it, and waits until it says where it listens.
    pub(crate) async fn listening(self) -> (Binary, SocketAddr) {
        let binary = self.start();
        let address = binary.address().await;
        (binary, address)
    }

    /// Expects it to end by itself with a failure, and gives what it wrote to standard error.
    pub(crate) async fn fails(self) -> Vec<String> {
        let mut binary = self.start();
        let status = binary.ended().await;
        assert!(!status.success(), "ended with {status}; {:?}", binary.stderr());
        // The thread that reads holds the other reference, and lets go of it at the end of the pipe.
        eventually("the rest of its output", || Arc::strong_count(&binary.stderr) == 1).await;
        binary.stderr()
    }
}

impl Binary {
    /// The address of the `listening on` line.
    pub(crate) async fn address(&self) -> SocketAddr {
        let said = || {
            let lines = self.stdout();
            let line = lines.iter().find_map(|line| line.strip_prefix("listening on http://"))?;
            Some(line.parse().expect("an address"))
        };
        eventually(&format!("a listening line; standard error has {:?}", self.stderr()), || said().is_some()).await;
        said().expect("it has just been there")
    }

    /// The lines printed so far.
    pub(crate) fn stdout(&self) -> Vec<String> {
        self.stdout.lock().expect("readers do not panic").clone()
    }

    /// The lines logged so far.
    pub(crate) fn stderr(&self) -> Vec<String> {
        self.stderr.lock().expect("readers do not panic").clone()
    }

    /// Waits until a printed line contains all of `words`.
    pub(crate) async fn prints(&self, words: &[&str]) {
        let printed = || self.stdout().iter().any(|line| words.iter().all(|word| line.contains(word)));
        eventually(&format!("a printed line with {words:?}"), printed).await;
    }

    /// Waits until a logged line contains all of `words`, and gives it.
    pub(crate) async fn logs(&self, words: &[&str]) -> String {
        let find = || self.stderr().into_iter().find(|line| words.iter().all(|word| line.contains(word)));
        eventually(&format!("a log line with {words:?}"), || find().is_some()).await;
        find().expect("it has just been there")
    }

    /// From now on the process may make files of so many bytes, as by `ulimit -f`; none: as large as they come.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let id = Pid::from_child(&self.child);
        let before = prlimit(Some(id), Resource::Fsize, Rlimit { current: None, maximum: None }).expect("it runs");
        let limit = Rlimit { current: bytes, maximum: before.maximum };
        prlimit(Some(id), Resource::Fsize, limit).expect("a limit that the system knows");
    }

    /// Sends it a signal by number, for those that have no name.
    pub(crate) fn signal_number(&self, number: i32) {
        let sent = Command::new("kill").args([format!("-{number}"), self.child.id().to_string()]).status();
        assert!(sent.expect("every Unix has kill").success(), "the child has not been waited for");
    }

    /// Which signals the process handles and which it ignores, as sets of bits, from Linux.
    pub(crate) fn dispositions(&self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let set = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("Linux says it");
            u64::from_str_radix(line.trim(), 16).expect("a set of bits")
        };
        (set("SigCgt:"), set("SigIgn:"))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = Pid::from_child(&self.child);
        kill_process(id, signal).expect("the child has not been waited for");
    }

    /// Stops the process where it is, and returns when all of it has stopped: its threads go on for a moment after the signal.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
        let stopped = waitpid(Some(Pid::from_child(&self.child)), WaitOptions::UNTRACED).expect("it is our child");
        assert!(stopped.is_some_and(|(_, status)| status.stopped()), "it has ended");
    }

    /// Lets a paused one go on.
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Waits until the process has ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the process ends", || {
            status = self.child.try_wait().expect("it is our child");
            status.is_some()
        })
        .await;
        status.expect("it has just ended")
    }

    /// The memory that the process has now, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux says it");
        line.trim().trim_end_matches(" kB").parse().expect("a number of KiB")
    }

    /// The most memory that the process had at once, in MiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says it");
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number of KiB");
        kib / 1024
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        // It may have ended already, and then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A polite client of the binary at `address`.
pub(crate) async fn connect(address: SocketAddr, path: &str) -> WsClient {
    Knock::new(address, path).open().await
}

/// A plain request to the binary at `address`.
pub(crate) fn ask(address: SocketAddr, method: &str, target: &str) -> Ask {
    Ask::new(address, method, target)
}

/// A client of the binary at `address` that writes bytes by hand.
pub(crate) async fn raw(address: SocketAddr, path: &str) -> RawClient {
    let mut client = RawClient::dial(address).await;
    client.upgrade(path).await;
    client
}

/// Collects lines as they come; the thread ends with the pipe.
fn lines(pipe: impl Read + Send + 'static) -> Arc<Mutex<Vec<String>>> {
    let collected = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&collected);
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            lines.lock().expect("no test panics while it reads them").push(line);
        }
    });
    collected
}
