//! A socket that outlives its object, because the guest has put it aside. The host must take it for what it is: gone.

use lakou_sdk::{Result, Socket};
use std::cell::RefCell;
use std::rc::Rc;

thread_local! {
    // A guest has one thread.
    static KEPT: RefCell<Option<Rc<Socket>>> = const { RefCell::new(None) };
}

/// Puts a socket aside, in the place of an earlier one.
pub(crate) fn keep(socket: &Rc<Socket>) -> &'static str {
    KEPT.set(Some(Rc::clone(socket)));
    "kept"
}

/// Subscribes it.
pub(crate) fn subscribe(topic: &str) -> Result {
    with_it(|socket| socket.subscribe(topic))
}

/// Sends to it.
pub(crate) fn send(text: &str) -> Result {
    with_it(|socket| socket.send(text))
}

fn with_it(act: impl FnOnce(&Socket) -> Result) -> Result {
    KEPT.with_borrow(|kept| act(kept.as_deref().expect("a test keeps one first")))
}
