//! A redis-server as a child process. Only this child is ever signalled or ended, by its own id.

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub(super) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a server that writes its log into `folder`, where a log of an earlier start goes on.
    pub(super) fn start(arguments: &[String], folder: &Path) -> Self {
        let log = folder.join("redis.log");
        let output = OpenOptions::new().create(true).append(true).open(&log).expect("the test's own folder");
        let errors = output.try_clone().expect("an open file");
        let mut command = Command::new("redis-server");
        command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(output).stderr(errors);
        let child = command.spawn().expect("redis-server is on the PATH; `make redis-server` sees to that");
        Process { child, log }
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended by itself, or was killed.
    pub(super) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_some()
    }

    /// What it has logged, in all its starts.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends it as a crash does. A paused one ends as well.
    pub(super) fn kill(&mut self) {
        // It may have ended already, and then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Stops it where it is, and returns when it has stopped.
    pub(super) fn pause(&self) {
        self.signal(Signal::STOP);
        let stopped = waitpid(Some(Pid::from_child(&self.child)), WaitOptions::UNTRACED).expect("it is our child");
        assert!(stopped.is_some_and(|(_, status)| status.stopped()), "it has ended: {}", self.log());
    }

    /// Lets it go on.
    pub(super) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the child has not been waited for");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
