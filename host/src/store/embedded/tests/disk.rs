//! A disk in memory whose power can be cut and which can be full.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use redb::StorageBackend;

use crate::store::embedded::overlay::Below;

/// What a disk writes as a whole.
const SECTOR: usize = 512;

/// Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(in crate::store::embedded) struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What is read.
    content: Vec<u8>,
    /// What is there for good.
    synced: Vec<u8>,
    /// What was written since then.
    pending: Vec<(usize, Vec<u8>)>,
    full: bool,
}

impl Disk {
    /// The disk as it may be found after a power cut at this moment: of what was not synced, any sector may be there or not.
    pub(super) fn after_power_cut(&self, chance: &mut Chance) -> Disk {
        self.with(|state| {
            let mut content = state.synced.clone();
            content.resize(content.len().max(state.content.len()), 0);
            for (at, data) in &state.pending {
                for (index, sector) in data.chunks(SECTOR).enumerate() {
                    let at = at + index * SECTOR;
                    if chance.one_of(2) == 0 && at + sector.len() <= content.len() {
                        content[at..at + sector.len()].copy_from_slice(sector);
                    }
                }
            }
            Disk(Arc::new(Mutex::new(State { synced: content.clone(), content, ..State::default() })))
        })
    }

    pub(super) fn set_full(&self, full: bool) {
        self.with(|state| state.full = full);
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Below for Disk {
    fn length(&self) -> io::Result<u64> {
        self.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.read(offset, out)
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.with(|state| Ok(state.content.len() as u64))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let from = usize::try_from(offset).map_err(io::Error::other)?;
        self.with(|state| {
            let read = state.content.get(from..from + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
            out.copy_from_slice(read);
            Ok(())
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.with(|state| {
            state.content.resize(len, 0);
            Ok(())
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.with(|state| {
            if state.full {
                return Err(io::ErrorKind::StorageFull.into());
            }
            state.synced.clone_from(&state.content);
            state.pending.clear();
            Ok(())
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let from = usize::try_from(offset).map_err(io::Error::other)?;
        self.with(|state| {
            if state.full {
                return Err(io::ErrorKind::StorageFull.into());
            }
            state.content.get_mut(from..from + data.len()).ok_or(io::ErrorKind::UnexpectedEof)?.copy_from_slice(data);
            state.pending.push((from, data.to_vec()));
            Ok(())
        })
    }
}

/// Numbers that look random and are the same each time.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    /// A number below `count`.
    pub(super) fn one_of(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % count
    }
}
