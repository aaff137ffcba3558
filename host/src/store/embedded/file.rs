//! The file and its folder: made if missing, locked against other processes, checked before use. Every error names the file.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Builder, Database, ReadableTable, TableDefinition};

use super::ledger::Ledger;
use super::overlay::Overlay;
use crate::store::StoreError;

const NAME: &str = "identities.redb";

/// How this program writes its tables.
const VERSION: u64 = 1;
const FORMAT: TableDefinition<&[u8], u64> = TableDefinition::new("lakou-identities-format");
const VERSION_KEY: &[u8] = b"version";

/// Pages of the file that are kept in memory: what is worked on is small, and the system caches the rest.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// Where the identities are.
pub(super) enum Place {
    Memory,
    File {
        path: PathBuf,
        /// Held from the first opening to the end of the process: a file may be opened again after a failure.
        lock: Option<File>,
    },
    #[cfg(test)]
    Disk(super::tests::disk::Disk),
}

impl Place {
    pub(super) fn in_folder(folder: &Path) -> Self {
        Place::File { path: folder.join(NAME), lock: None }
    }

    fn name(&self) -> String {
        match self {
            Place::File { path, .. } => path.display().to_string(),
            _ => "memory".into(),
        }
    }

    /// The last state that is on the disk for good, to look at: nothing is written, whatever the library believes. Whoever
    /// had it open must have closed it.
    pub(super) fn look(&self) -> Result<Database, StoreError> {
        let looking = || {
            let overlay = match self {
                Place::File { path, .. } => Overlay::over(File::open(path)?)?,
                #[cfg(test)]
                Place::Disk(disk) => Overlay::over(disk.clone())?,
                Place::Memory => return Err(Unusable::Damaged("it was in memory".into())),
            };
            // Every page that matters was checked when it was opened last; what was written since has checksums that the
            // library looks at by itself after a failure.
            let mut builder = Database::builder();
            builder.set_cache_size(CACHE_BYTES);
            checked(builder.create_with_backend(overlay).map_err(redb::Error::from)?)
        };
        let opened = catch_unwind(AssertUnwindSafe(looking)).unwrap_or(Err(Unusable::Damaged("unreadable".into())));
        opened.map_err(|wrong| wrong.naming(&self.name()))
    }

    /// Opens what is there, or makes it; but not again, when it is gone.
    pub(super) fn open(&mut self) -> Result<Database, StoreError> {
        let file = self.name();
        let opening = || match self {
            Place::Memory => checked(builder().create_with_backend(InMemoryBackend::new()).map_err(redb::Error::from)?),
            Place::File { path, lock } => open(path, lock),
            #[cfg(test)]
            Place::Disk(disk) => checked(builder().create_with_backend(disk.clone()).map_err(redb::Error::from)?),
        };
        // The library has checks that end in a panic; a file must never end the process.
        let opened = catch_unwind(AssertUnwindSafe(opening)).unwrap_or(Err(Unusable::Damaged("unreadable".into())));
        opened.map_err(|wrong| wrong.naming(&file))
    }
}

/// Why a file is not used.
enum Unusable {
    Io(io::Error),
    Taken,
    Gone,
    Version(String),
    Damaged(String),
}

impl Unusable {
    fn naming(self, file: &str) -> StoreError {
        let text = match self {
            Unusable::Io(error) => format!("{file}: {error}"),
            Unusable::Taken => format!("{file}: another lakou has it open; each needs a data folder of its own"),
            Unusable::Gone => format!("{file}: is gone; it is not made anew while this lakou runs"),
            Unusable::Version(version) => format!("{file}: has format {version}; this lakou reads format {VERSION}"),
            Unusable::Damaged(how) => format!("{file}: is damaged, or no file of lakou's: {how}"),
        };
        StoreError::Unavailable(crate::text::printable(&text).into_owned())
    }
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        Unusable::Io(error)
    }
}

impl From<redb::Error> for Unusable {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => Unusable::Taken,
            redb::Error::UpgradeRequired(version) => Unusable::Version(format!("{version} of another library")),
            // What a file is that ends too early, or holds something else.
            redb::Error::Io(error)
                if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) =>
            {
                Unusable::Damaged(error.to_string())
            }
            redb::Error::Io(error) => Unusable::Io(error),
            other => Unusable::Damaged(other.to_string()),
        }
    }
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    // Reads all of the file once: afterwards every page that is not as it was written has been found.
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
    builder
}

fn open(path: &Path, lock: &mut Option<File>) -> Result<Database, Unusable> {
    let folder = path.parent().unwrap_or(Path::new("."));
    if lock.is_some() {
        // An empty one in its place, on a disk that was there before another was mounted, say, would be taken for all there is.
        return if path.try_exists()? { checked(database(path)?) } else { Err(Unusable::Gone) };
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let file = open_or_make(&path.with_extension("lock"))?;
    match file.try_lock() {
        Ok(()) => *lock = Some(file),
        Err(TryLockError::WouldBlock) => return Err(Unusable::Taken),
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    if path.try_exists()? {
        return checked(database(path)?);
    }
    // Under another name until it is complete: half a file could not be told from a damaged one.
    let unfinished = path.with_extension("new");
    open_or_make(&unfinished)?.set_len(0)?;
    let made = checked(database(&unfinished)?)?;
    std::fs::rename(&unfinished, path)?;
    // So that it is still in its folder after a power cut.
    File::open(folder)?.sync_all()?;
    Ok(made)
}

fn database(path: &Path) -> Result<Database, Unusable> {
    let backend = FileBackend::new(open_or_make(path)?).map_err(redb::Error::from)?;
    Ok(builder().create_with_backend(backend).map_err(redb::Error::from)?)
}

fn open_or_make(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Writes the version into a new file, and compares that of an old one.
fn checked(database: Database) -> Result<Database, Unusable> {
    let transaction = database.begin_write().map_err(redb::Error::from)?;
    let is_new = transaction.list_tables().map_err(redb::Error::from)?.next().is_none();
    let mut version = None;
    {
        let damaged = |error: redb::Error| Unusable::Damaged(error.to_string());
        let mut format = transaction.open_table(FORMAT).map_err(|error| damaged(error.into()))?;
        if is_new {
            format.insert(VERSION_KEY, VERSION).map_err(redb::Error::from)?;
        }
        if let Some(found) = format.get(VERSION_KEY).map_err(redb::Error::from)? {
            version = Some(found.value());
        }
    }
    match version {
        Some(VERSION) => {}
        Some(other) => return Err(Unusable::Version(other.to_string())),
        None => return Err(Unusable::Damaged("it has no version".into())),
    }
    Ledger::open(&transaction).map_err(|error| Unusable::Damaged(error.to_string()))?;
    if is_new {
        transaction.commit().map_err(redb::Error::from)?;
    } else {
        transaction.abort().map_err(redb::Error::from)?;
    }
    Ok(database)
}
