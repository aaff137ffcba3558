//! The store of a server without Redis: one file, and one thread that reads and writes it. What waits for that thread is
//! done in one transaction, so that many callers share the wait for the disk. The holders are kept in memory only: no
//! connection outlives the process.

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use futures_util::FutureExt;
use tokio::sync::{Semaphore, oneshot};

use self::file::Place;
use self::writer::{Job, Needs, Question, Writer};
use super::{
    Answer, Bounds, Failed, Identity, NotificationId, Notified, Registered, Store, StoreError, Terms, Waiting,
};
use crate::ids::ConnectionId;
use crate::message::SharedEvent;

mod accounts;
mod file;
mod holders;
mod keyvalue;
mod ledger;
mod overlay;
mod rules;
mod writer;

use rules::Books;

/// Questions that wait for the writer; who comes later waits before the queue. Together they are one transaction, and
/// more would only make it longer.
const QUEUE: usize = 256;

/// Identities in a file, or in memory.
pub(crate) struct Embedded {
    bounds: Bounds,
    room: Arc<Semaphore>,
    /// `None` only while it is dropped.
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
}

impl Embedded {
    /// Opens the file in `folder`, or makes both; without a folder everything is in memory. It is open until it is dropped,
    /// which waits until all that was asked is done.
    ///
    /// # Errors
    ///
    /// The file can not be used: it is another process's, damaged, or of another version. The text names it.
    pub(crate) fn open(folder: Option<&Path>, bounds: Bounds) -> Result<Self, StoreError> {
        Embedded::start(folder.map_or(Place::Memory, Place::in_folder), bounds)
    }

    fn start(place: Place, bounds: Bounds) -> Result<Self, StoreError> {
        let writer = Writer::open(place, bounds)?;
        #[expect(clippy::disallowed_methods, reason = "QUEUE permits bound the jobs")]
        let (jobs, waiting) = mpsc::channel();
        let thread = std::thread::Builder::new().name("identities".into()).spawn(move || writer.run(&waiting));
        let writer = thread.map_err(|error| StoreError::unavailable(&error))?;
        Ok(Embedded { bounds, room: Arc::new(Semaphore::new(QUEUE)), jobs: Some(jobs), writer: Some(writer) })
    }

    /// Has the writer do something. It may do it more than once, of which the last time counts.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is queued, nothing is done; afterwards all of it is.
    fn ask<'a, T: Send + 'static>(
        &'a self,
        work: impl Fn(&mut Books<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<'a, T> {
        self.queue(work, Needs::Writing)
    }

    /// As `ask`, for what can be answered without changing anything: also while the file can not be written.
    fn look<'a, T: Send + 'static>(
        &'a self,
        work: impl Fn(&mut Books<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<'a, T> {
        self.queue(work, Needs::Reading)
    }

    fn queue<'a, T: Send + 'static>(
        &'a self,
        work: impl Fn(&mut Books<'_>) -> Result<T, StoreError> + Send + 'static,
        needs: Needs,
    ) -> Answer<'a, T> {
        async move {
            let stopped = || StoreError::Unavailable("its writer has stopped".into());
            let room = Arc::clone(&self.room).acquire_owned().await.map_err(|_| stopped())?;
            let (reply, answer) = oneshot::channel();
            let job = Job { question: Question::boxed(work, reply, needs), _room: room };
            self.jobs.as_ref().ok_or_else(stopped)?.send(job).map_err(|_| stopped())?;
            answer.await.map_err(|_| stopped())?
        }
        .boxed()
    }
}

impl Store for Embedded {
    fn register<'a>(
        &'a self,
        identity: &'a Identity,
        connection: ConnectionId,
        terms: Terms,
    ) -> Answer<'a, Registered> {
        let identity = identity.clone();
        async move { self.ask(move |books| books.register(&identity, connection, &terms)).await? }.boxed()
    }

    fn regain<'a>(&'a self, identity: &'a Identity, connection: ConnectionId, _terms: Terms) -> Answer<'a, bool> {
        // Nothing is lost here: who is no holder has been pushed out.
        async move { Ok(self.waiting(identity, connection, 0).await? != Waiting::NotHolder) }.boxed()
    }

    fn unregister<'a>(&'a self, identity: &'a Identity, connection: ConnectionId) -> Answer<'a, ()> {
        let identity = identity.clone();
        self.ask(move |books| books.unregister(&identity, connection))
    }

    fn registered<'a>(&'a self, identity: &'a Identity) -> Answer<'a, bool> {
        let identity = identity.clone();
        self.look(move |books| books.registered(&identity))
    }

    fn notify<'a>(&'a self, identity: &'a Identity, event: &'a SharedEvent) -> Answer<'a, Option<Notified>> {
        let cost = match self.bounds.admit(event) {
            Ok(cost) => cost,
            Err(error) => return std::future::ready(Err(error)).boxed(),
        };
        let (identity, event) = (identity.clone(), Arc::clone(event));
        async move { self.ask(move |books| books.notify(&identity, &event, cost)).await? }.boxed()
    }

    fn waiting<'a>(&'a self, identity: &'a Identity, connection: ConnectionId, most: usize) -> Answer<'a, Waiting> {
        let identity = identity.clone();
        self.ask(move |books| books.waiting(&identity, connection, most))
    }

    fn handled<'a>(
        &'a self,
        identity: &'a Identity,
        connection: ConnectionId,
        upto: NotificationId,
    ) -> Answer<'a, bool> {
        let identity = identity.clone();
        self.ask(move |books| books.handled(&identity, connection, upto))
    }

    fn failed<'a>(&'a self, identity: &'a Identity, id: NotificationId) -> Answer<'a, Failed> {
        let identity = identity.clone();
        self.ask(move |books| books.failed(&identity, id))
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // Without senders the writer ends when its queue is empty.
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

#[cfg(test)]
mod tests;
