//! A file that is looked at and never written to: what is written over it stays in memory. The library has to write when it
//! opens a file that was not closed in good order, and the disk may be full, or read-only.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

/// What is kept of what was written, as a whole.
const BLOCK: u64 = 4096;

/// What lies below.
pub(super) trait Below: Send + Sync + std::fmt::Debug + 'static {
    fn length(&self) -> io::Result<u64>;
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;
}

impl Below for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(out, offset)
    }
}

/// A file with writes over it that nobody else sees.
#[derive(Debug)]
pub(super) struct Overlay {
    below: Box<dyn Below>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    length: u64,
    /// Of what lies below, so much counts; beyond it there are zeros.
    below: u64,
    blocks: BTreeMap<u64, Vec<u8>>,
}

impl Overlay {
    /// Nothing is written yet.
    ///
    /// # Errors
    ///
    /// It can not be looked at, or is empty: the library would make a new one of it.
    pub(super) fn over(below: impl Below) -> io::Result<Self> {
        let length = below.length()?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let state = State { length, below: length, blocks: BTreeMap::new() };
        Ok(Overlay { below: Box::new(below), state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with each piece of a range that lies in one block: its block, where it begins there and in the range,
    /// and its length.
    fn pieces(
        offset: u64,
        length: usize,
        mut piece: impl FnMut(u64, usize, usize, usize) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut done = 0;
        while done < length {
            let at = offset + done as u64;
            let within = usize::try_from(at % BLOCK).map_err(io::Error::other)?;
            let count = (length - done).min(usize::try_from(BLOCK).map_err(io::Error::other)? - within);
            piece(at / BLOCK, within, done, count)?;
            done += count;
        }
        Ok(())
    }

    fn check(state: &State, offset: u64, length: usize) -> io::Result<()> {
        let end = offset.checked_add(length as u64).ok_or(io::ErrorKind::InvalidInput)?;
        if end > state.length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// What lies below, and zeros beyond it.
    fn read_below(&self, state: &State, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let there = usize::try_from(state.below.saturating_sub(offset)).unwrap_or(usize::MAX).min(out.len());
        let (below, beyond) = out.split_at_mut(there);
        beyond.fill(0);
        if below.is_empty() { Ok(()) } else { self.below.read_at(offset, below) }
    }
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        Overlay::check(&state, offset, out.len())?;
        self.read_below(&state, offset, out)?;
        Overlay::pieces(offset, out.len(), |block, within, done, count| {
            if let Some(content) = state.blocks.get(&block) {
                out[done..done + count].copy_from_slice(&content[within..within + count]);
            }
            Ok(())
        })
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut state = self.state();
        if length < state.length {
            state.below = state.below.min(length);
            let mut beyond = state.blocks.split_off(&(length / BLOCK));
            if let Some(mut last) = beyond.remove(&(length / BLOCK)) {
                last[usize::try_from(length % BLOCK).map_err(io::Error::other)?..].fill(0);
                state.blocks.insert(length / BLOCK, last);
            }
        }
        state.length = length;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        Overlay::check(&state, offset, data.len())?;
        Overlay::pieces(offset, data.len(), |block, within, done, count| {
            if !state.blocks.contains_key(&block) {
                let mut content = vec![0; usize::try_from(BLOCK).map_err(io::Error::other)?];
                self.read_below(&state, block * BLOCK, &mut content)?;
                state.blocks.insert(block, content);
            }
            if let Some(content) = state.blocks.get_mut(&block) {
                content[within..within + count].copy_from_slice(&data[done..done + count]);
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Bytes(Vec<u8>);

    impl Below for Bytes {
        fn length(&self) -> io::Result<u64> {
            Ok(self.0.len() as u64)
        }

        fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            let from = usize::try_from(offset).expect("small");
            out.copy_from_slice(&self.0[from..from + out.len()]);
            Ok(())
        }
    }

    #[test]
    fn it_is_as_if_it_had_been_written_to() {
        let overlay = Overlay::over(Bytes(vec![1; 10_000])).expect("not empty");
        let mut like = vec![1_u8; 10_000];
        let all = |overlay: &Overlay| {
            let mut content = vec![9; usize::try_from(overlay.len().expect("known")).expect("small")];
            overlay.read(0, &mut content).expect("inside");
            content
        };
        overlay.write(4090, &[2; 5000]).expect("inside");
        like[4090..9090].fill(2);
        assert_eq!(all(&overlay), like);
        overlay.set_len(6000).expect("shorter");
        overlay.set_len(20_000).expect("longer");
        like.truncate(6000);
        like.resize(20_000, 0);
        assert_eq!(all(&overlay), like, "what was cut off does not come back");
        overlay.write(19_990, &[3; 10]).expect("inside");
        like[19_990..].fill(3);
        assert_eq!(all(&overlay), like);
        assert!(overlay.write(19_991, &[3; 10]).is_err() && overlay.read(20_000, &mut [0]).is_err());
        assert!(Overlay::over(Bytes(Vec::new())).is_err());
    }
}
