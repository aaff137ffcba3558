//! The one thread that works on the file: takes all that waits, does it in one transaction, and answers when that is on the
//! disk. Between times it looks for identities that have lapsed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use redb::Database;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::file::Place;
use super::holders::Holders;
use super::ledger::{Ledger, lost};
use super::rules::{Books, SWEEP_STEP};
use crate::store::{Bounds, StoreError};

/// How often lapsed identities are looked for: a million is once through in a quarter of an hour.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// The same where many have lapsed, so that they go faster than they come.
const SWEEP_AGAIN: Duration = Duration::from_millis(50);

/// How often a file that failed is opened anew; opening reads all of it, and takes a tenth of the time at most.
const REOPEN_EVERY: Duration = Duration::from_secs(1);

/// How often the log says that the file can not be worked with.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Something to do, and the place it takes in the queue.
pub(super) struct Job {
    pub(super) question: Box<dyn Ask>,
    pub(super) _room: OwnedSemaphorePermit,
}

/// Work for the writer whose answer goes to somebody who waits.
pub(super) trait Ask: Send {
    /// Works it out; the answer is kept until it counts.
    fn run(&mut self, books: &mut Books<'_>) -> Result<(), StoreError>;

    fn needs(&self) -> Needs;

    /// The transaction with it is on the disk, or never was.
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

/// What a question can not be answered without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// A file that can be read; what the answer would tidy up on the way is left.
    Reading,
    Writing,
}

/// The work, and who asked.
pub(super) struct Question<T, W> {
    work: W,
    needs: Needs,
    found: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, W> Question<T, W>
where
    T: Send + 'static,
    W: Fn(&mut Books<'_>) -> Result<T, StoreError> + Send + 'static,
{
    pub(super) fn boxed(work: W, reply: oneshot::Sender<Result<T, StoreError>>, needs: Needs) -> Box<dyn Ask> {
        Box::new(Question { work, needs, found: None, reply })
    }
}

impl<T, W> Ask for Question<T, W>
where
    T: Send,
    W: Fn(&mut Books<'_>) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, books: &mut Books<'_>) -> Result<(), StoreError> {
        self.found = Some((self.work)(books)?);
        Ok(())
    }

    fn needs(&self) -> Needs {
        self.needs
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Question { found, reply, .. } = *self;
        let lost = || StoreError::Unavailable("the answer was lost".into());
        // Who asked may have left.
        let _ = reply.send(outcome.and_then(|()| found.ok_or_else(lost)));
    }
}

/// The owner of the file.
pub(super) struct Writer {
    /// `None` after a failure, until it could be opened again. It goes before its place, which has the lock.
    database: Option<Database>,
    /// The last durable state, while the file can not be written and somebody wants to read; or why that can not be had.
    view: Option<Result<Database, StoreError>>,
    place: Place,
    reopened: Instant,
    reopen_after: Duration,
    failed: StoreError,
    complained: Option<Instant>,
    holders: Holders,
    bounds: Bounds,
    /// The identity up to which was swept.
    swept: Vec<u8>,
}

impl Writer {
    pub(super) fn open(mut place: Place, bounds: Bounds) -> Result<Self, StoreError> {
        let database = Some(place.open()?);
        Ok(Writer {
            database,
            view: None,
            place,
            reopened: Instant::now(),
            reopen_after: REOPEN_EVERY,
            failed: StoreError::Unavailable("its file failed".into()),
            complained: None,
            holders: Holders::default(),
            bounds,
            swept: Vec::new(),
        })
    }

    /// Works until nobody can ask any more and everything is answered.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        let mut sweep_at = Instant::now() + SWEEP_EVERY;
        loop {
            match jobs.recv_timeout(sweep_at.saturating_duration_since(Instant::now())) {
                // The queue is bounded, and so is the batch.
                Ok(first) => self.settle(std::iter::once(first).chain(jobs.try_iter()).collect()),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if Instant::now() >= sweep_at {
                sweep_at = self.sweep();
            }
        }
    }

    /// Does all of a batch in one transaction. If an identity in it is corrupt, each is on its own, so that it is no
    /// other's trouble. After a failure of the file no change is tried again: it may have happened all the same. What only
    /// reads is answered from what is there for good.
    fn settle(&mut self, mut batch: Vec<Job>) {
        let outcome = self.transact(|books| batch.iter_mut().try_for_each(|job| job.question.run(books)));
        let alone = matches!(outcome, Err(StoreError::Corrupt(_))) && batch.len() > 1;
        for mut job in batch {
            let mut outcome = if alone { self.transact(|books| job.question.run(books)) } else { outcome.clone() };
            if matches!(outcome, Err(StoreError::Unavailable(_))) && job.question.needs() == Needs::Reading {
                outcome = self.look(|books| job.question.run(books));
            }
            job.question.answer(outcome);
        }
    }

    /// Returns when to sweep again.
    fn sweep(&mut self) -> Instant {
        let upto = std::mem::take(&mut self.swept);
        let wait = match self.transact(|books| books.purge().and_then(|()| books.sweep(&upto))) {
            Ok(swept) => {
                self.swept = swept.upto;
                if swept.forgotten > SWEEP_STEP / 10 { SWEEP_AGAIN } else { SWEEP_EVERY }
            }
            Err(error) => {
                self.complain(&error);
                SWEEP_EVERY
            }
        };
        Instant::now() + wait
    }

    /// All of it happens, durably, or nothing.
    fn transact<T>(&mut self, work: impl FnOnce(&mut Books<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.reopen()?;
        let Some(database) = &self.database else { return Err(self.failed.clone()) };
        let (holders, bounds) = (&mut self.holders, self.bounds);
        // The library has checks that end in a panic; the thread has to outlive them.
        let outcome = catch_unwind(AssertUnwindSafe(|| commit(database, holders, bounds, work)))
            .unwrap_or_else(|_| Err(StoreError::Unavailable("its file is damaged".into())));
        match &outcome {
            Ok(_) => self.holders.commit(),
            Err(error) => {
                self.holders.roll_back();
                if matches!(error, StoreError::Unavailable(_)) {
                    self.database = None;
                    self.failed = error.clone();
                    self.complain(error);
                }
            }
        }
        outcome
    }

    /// As `transact`, in the last state that is on the disk for good, and nothing of it happens.
    fn look(&mut self, work: impl FnOnce(&mut Books<'_>) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let (place, holders, bounds) = (&self.place, &mut self.holders, self.bounds);
        let view = match self.view.get_or_insert_with(|| place.look()) {
            Ok(view) => view,
            Err(error) => return Err(error.clone()),
        };
        let looking = || {
            let transaction = view.begin_write().map_err(lost)?;
            work(&mut Books { ledger: Ledger::open(&transaction)?, transaction: &transaction, holders, bounds })?;
            transaction.abort().map_err(lost)
        };
        let outcome = catch_unwind(AssertUnwindSafe(looking))
            .unwrap_or_else(|_| Err(StoreError::Unavailable("its file is damaged".into())));
        self.holders.roll_back();
        if let Err(error @ StoreError::Unavailable(_)) = &outcome {
            self.view = Some(Err(error.clone()));
        }
        outcome
    }

    fn complain(&mut self, error: &StoreError) {
        if self.complained.is_none_or(|complained| complained.elapsed() >= LINE_EVERY) {
            self.complained = Some(Instant::now());
            tracing::error!("identities and values: {error}");
        }
    }

    /// After a failed write the library refuses the file until it is opened anew, as when the disk was full.
    fn reopen(&mut self) -> Result<(), StoreError> {
        if self.database.is_some() || self.reopened.elapsed() < self.reopen_after {
            return Ok(());
        }
        // Opening may change the file below it.
        self.view = None;
        let began = Instant::now();
        let opened = self.place.open();
        self.reopened = Instant::now();
        self.reopen_after = REOPEN_EVERY.max(began.elapsed() * 10);
        self.database = Some(opened.inspect_err(|error| self.failed = error.clone())?);
        Ok(())
    }
}

fn commit<T>(
    database: &Database,
    holders: &mut Holders,
    bounds: Bounds,
    work: impl FnOnce(&mut Books<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = database.begin_write().map_err(lost)?;
    let mut books = Books { ledger: Ledger::open(&transaction)?, transaction: &transaction, holders, bounds };
    let value = work(&mut books)?;
    let changed = books.ledger.changed;
    drop(books);
    if changed {
        transaction.commit().map_err(lost)?
    } else {
        transaction.abort().map_err(lost)?
    }
    Ok(value)
}
