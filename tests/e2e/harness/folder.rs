//! Temporary folders under the target folder, removed at the end of the test that made them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder of one test.
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Folder::inside(scratch())
    }

    /// Outside of the checkout, for what must not be a part of its workspace.
    pub(crate) fn outside() -> Self {
        Folder::inside(&std::env::temp_dir())
    }

    fn inside(parent: &Path) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("lakou-e2e-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = parent.join(name);
        std::fs::create_dir_all(&path).expect("target and temporary folders can be written to");
        Folder { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where `name` is, or would be.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file, its folders included, and says where it is.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path.join(name);
        let parent = path.parent().expect("a file in the folder has a parent");
        std::fs::create_dir_all(parent).expect("a folder inside the test's own");
        std::fs::write(&path, content).expect("a file inside the test's own folder");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind is only untidy; a panic here would hide why the test failed.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Where cargo lets tests write: a folder inside the target folder.
pub(crate) fn scratch() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// Compiled components of all tests of all runs: each is compiled once, as on an operator's machine.
pub(crate) fn shared_cache() -> PathBuf {
    scratch().join("compiled")
}

/// The root of the checkout.
pub(crate) fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are a folder of the checkout")
}
