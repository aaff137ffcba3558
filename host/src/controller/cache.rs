//! Compiled components on disk, so that a restart does not compile again.
//!
//! Compiled code is run as native code, so an entry is believed only if it lies in a folder that nobody else can write
//! to and is whole. An entry belongs to one component and one exact compiler: the name is made of both.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::compiler::NotCompiled;

/// How long an entry is kept that nobody uses.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How the names of entries end, and of those that are still being written.
const ENTRY: &str = "compiled";
const UNFINISHED: &str = "unfinished";

/// A folder of compiled components.
#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
}

/// Whether a component had to be compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compiled {
    Before,
    Now,
}

impl Cache {
    /// Opens the folder, and makes it if it is missing.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let metadata = fs::metadata(folder)?;
        let refused = |why| Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return refused("the folder belongs to another user, who could put code into it");
        }
        if metadata.mode() & 0o022 != 0 {
            return refused("the folder can be written to by others, who could put code into it: chmod 700");
        }
        Ok(Cache { folder: folder.to_owned() })
    }

    /// The component of `wasm`, from the cache if it is there, or as `compile` makes it.
    pub(super) fn component(
        &self,
        engine: &Engine,
        wasm: &[u8],
        compile: impl FnOnce() -> Result<Vec<u8>, NotCompiled>,
    ) -> Result<(Component, Compiled), NotCompiled> {
        let path = self.folder.join(entry_name(engine, wasm));
        if let Some(component) = load(engine, &path) {
            // The time of its last use is what `prune` goes by.
            let _ = fs::File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
            return Ok((component, Compiled::Before));
        }
        let code = compile()?;
        if let Err(error) = self.store(&path, &code) {
            tracing::warn!(path = %path.display(), %error, "compiled code is not kept");
        }
        Ok((fresh(engine, &code)?, Compiled::Now))
    }

    /// Removes what no start has used for a long time: each new build of a controller leaves its old form behind.
    pub(super) fn prune(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            let ours = path.extension().is_some_and(|extension| extension == ENTRY || extension == UNFINISHED);
            let age =
                fs::metadata(&path).and_then(|metadata| metadata.modified()).ok().and_then(|time| time.elapsed().ok());
            if ours && age.is_some_and(|age| age > KEPT) {
                // Another server may have been quicker.
                let _ = fs::remove_file(&path);
            }
        }
    }

    /// Writes an entry under a name of its own first: a reader sees a whole entry or none.
    fn store(&self, path: &Path, code: &[u8]) -> io::Result<()> {
        // Several may be written at a time, and two files may hold the same component.
        static WRITTEN: AtomicUsize = AtomicUsize::new(0);
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let unfinished = path.with_extension(format!("{}-{number}.{UNFINISHED}", std::process::id()));
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        let written = file
            .write_all(&Sha256::digest(code))
            .and_then(|()| file.write_all(code))
            .and_then(|()| fs::rename(&unfinished, path));
        if written.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        written
    }
}

/// The component of what the compiler has made just now.
pub(super) fn fresh(engine: &Engine, code: &[u8]) -> Result<Component, NotCompiled> {
    // SAFETY: the bytes come straight from the compiler, in this process or in one of the same program.
    #[expect(unsafe_code, reason = "loading compiled code is unsafe unless it comes from the compiler, as here")]
    let component = unsafe { Component::deserialize(engine, code) };
    component.map_err(|error| NotCompiled::Wrong(format!("{error:#}")))
}

fn entry_name(engine: &Engine, wasm: &[u8]) -> String {
    use std::hash::{Hash, Hasher};
    let mut compiler = std::hash::DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut compiler);
    let component: String = Sha256::digest(wasm).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{component}-{:016x}.{ENTRY}", compiler.finish())
}

/// A whole entry, or none: what is damaged is compiled again.
fn load(engine: &Engine, path: &Path) -> Option<Component> {
    let bytes = fs::read(path).ok()?;
    let (checksum, code) = bytes.split_at_checked(32)?;
    if Sha256::digest(code).as_slice() != checksum {
        tracing::warn!(path = %path.display(), "compiled code is damaged: compiling again");
        return None;
    }
    // SAFETY: the checksum says that the entry is as `store` wrote it, and the folder that nobody else wrote it.
    #[expect(unsafe_code, reason = "the entry is our own compiler's output, checked above")]
    let component = unsafe { Component::deserialize(engine, code) };
    component.map_err(|error| tracing::warn!(path = %path.display(), %error, "compiled code does not load")).ok()
}
