//! How a server ends: tasks that must be done first hold an `Alive`, and the server's `run` awaits the last of them.

use std::convert::Infallible;

use tokio::sync::mpsc;

/// Held by a task for as long as the server must wait for it.
#[derive(Debug, Clone)]
pub(crate) struct Alive {
    _sender: mpsc::Sender<Infallible>,
}

/// The one who waits.
#[derive(Debug)]
pub(crate) struct Last(mpsc::Receiver<Infallible>);

/// A new pair.
pub(crate) fn alive() -> (Alive, Last) {
    let (sender, receiver) = mpsc::channel(1);
    (Alive { _sender: sender }, Last(receiver))
}

impl Last {
    /// Resolves when every `Alive` has been dropped.
    pub(crate) async fn gone(&mut self) {
        // Nothing can be sent, so this ends only with the last sender.
        let _ = self.0.recv().await;
    }
}
