//! The two servers that are compared: where their programs are, and how each is started for a scenario.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, process};

use crate::scenario::Scenario;

/// The controllers that the scenarios talk to.
const GUESTS: [&str; 2] = ["echo.wasm", "fanout.wasm"];

pub(crate) struct Contestants {
    bare: PathBuf,
    /// None measures the bare server against itself.
    lakou: Option<PathBuf>,
    controllers: Scratch,
}

impl Contestants {
    /// Finds the bare server beside this program, the others where they are said to be.
    ///
    /// # Errors
    ///
    /// Says which file is missing.
    pub(crate) fn find(lakou: Option<&Path>, guests: &Path) -> io::Result<Contestants> {
        let controllers = Scratch::new()?;
        if lakou.is_some() {
            for guest in GUESTS {
                fs::copy(found(&guests.join(guest))?, controllers.0.join(guest))?;
            }
        }
        let bare = found(&env::current_exe()?.with_file_name("bare"))?;
        Ok(Contestants { bare, lakou: lakou.map(found).transpose()?, controllers })
    }

    pub(crate) fn names(&self) -> [&'static str; 2] {
        ["bare", if self.lakou.is_some() { "lakou" } else { "bare again" }]
    }

    /// How to start the two, in the order of `names`.
    pub(crate) fn commands(&self, scenario: &dyn Scenario) -> [Command; 2] {
        let bare = || {
            let mut command = Command::new(&self.bare);
            command.arg(scenario.bare_mode());
            command
        };
        let second = self.lakou.as_deref().map_or_else(bare, |lakou| {
            let mut command = self.serve(lakou);
            command.args(scenario.settings());
            command
        });
        [bare(), second]
    }

    fn serve(&self, lakou: &Path) -> Command {
        let mut command = Command::new(lakou);
        command.arg("serve").arg("--controllers").arg(&self.controllers.0).args(["--listen", "127.0.0.1:0"]);
        // No client is slowed down: what is measured is the work.
        command.args(["--max-messages-per-second", "1000000", "--message-burst", "1000000"]);
        // Not where somebody's lakou.toml may lie.
        command.current_dir(&self.controllers.0);
        command
    }
}

/// An absolute path, because the servers are started in another folder.
fn found(path: &Path) -> io::Result<PathBuf> {
    path.canonicalize()
        .map_err(|error| io::Error::other(format!("{}: {error} (`make bench` builds it)", path.display())))
}

/// A folder that holds the controllers of the bench and no others; removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> io::Result<Scratch> {
        let folder = env::temp_dir().join(format!("lakou-bench-{}", process::id()));
        fs::create_dir(&folder)?;
        Ok(Scratch(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing depends on its being gone.
        let _ = fs::remove_dir_all(&self.0);
    }
}
