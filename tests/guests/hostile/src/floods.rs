//! More and more of what others have to deal with: lines, events, messages.

use crate::HostileEvents;
use lakou_sdk::expansion::bindings::lakou::controller::diagnostics::{self, Origin};
use lakou_sdk::{ConnectionId, Fault, IdentityOptions, Result, Socket};

/// What no host should take in one call.
const MANY: u32 = 1_000_000;

pub(crate) fn stdout() -> String {
    (0..2_000).for_each(|number| println!("line {number} of many"));
    "printed".to_owned()
}

pub(crate) fn stderr() -> String {
    (0..2_000).for_each(|number| eprintln!("line {number} of many"));
    "printed".to_owned()
}

/// More at once than the stream has said that it takes.
pub(crate) fn gush() -> String {
    let stdout = wasip2::cli::stdout::get_stdout();
    format!("{:?}", stdout.write(&vec![b'x'; 8 << 20]))
}

pub(crate) fn misfits() -> String {
    let words = "word ".repeat(1_000);
    (0..1_000).for_each(|_| diagnostics::misfit(Origin::Client, &words, &words));
    "complained".to_owned()
}

/// Does it again and again, and says what stopped it.
pub(crate) fn until_refused(act: impl Fn() -> Result) -> String {
    (0..MANY).find_map(|_| act().err()).map_or("never refused".to_owned(), said)
}

pub(crate) fn notifications(socket: &Socket) -> String {
    let _ = socket.register_as("victim", IdentityOptions::default());
    until_refused(|| lakou_sdk::messaging::notify("victim", HostileEvents::strike()).map(drop))
}

/// They are not refused themselves: what comes after them is.
pub(crate) fn unsubscriptions(socket: &Socket) -> String {
    (0..300).for_each(|_| socket.unsubscribe("hostile"));
    until_refused(|| lakou_sdk::messaging::registered("victim").map(drop))
}

/// Ids near its own: only the numbers of connections differ on one server.
pub(crate) fn guesses(socket: &Socket) -> String {
    let own = socket.id().to_string();
    let guess = |number: u32| ConnectionId::from(format!("{}{number:08x}", &own[..own.len() - 8]));
    let refused = (0..MANY).find_map(|number| socket.unicast(&guess(number), HostileEvents::strike()).err());
    refused.map_or("never refused".to_owned(), said)
}

fn said(fault: Fault) -> String {
    format!("refused: {fault}")
}
