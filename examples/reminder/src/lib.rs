//! Reminders: events that a connection sends to itself, once or again and again, until they are cancelled.
//!
//! Try it: connect a WebSocket client to `/reminder` and send `{"event":"remind","text":"tea","seconds":3}`. Send
//! `{"event":"nag","text":"drink water","seconds":5}`, and `{"event":"cancel","number":2}` when it is enough.

use std::collections::BTreeMap;
use std::time::Duration;

use lakou_sdk::{Controller, Fault, Request, Result, Socket, Timer, controller, json};

/// A visit ends after this.
const LONGEST_VISIT: Duration = Duration::from_secs(12 * 60 * 60);

/// Somebody who wants to be reminded.
pub struct Reminder {
    socket: Socket,
    /// By the numbers that the client knows. To remove one is to cancel it.
    timers: BTreeMap<u32, Timer>,
    latest: u32,
}

#[controller]
impl Controller for Reminder {
    fn open(socket: Socket, _request: Request) -> Self {
        match socket.after(LONGEST_VISIT, ReminderEvents::visit_is_over()) {
            // Nobody cancels this one.
            Ok(timer) => timer.detach(),
            Err(fault) => eprintln!("a visit without end: {fault}"),
        }
        Self { socket, timers: BTreeMap::new(), latest: 0 }
    }

    #[client]
    fn remind(&mut self, text: &str, seconds: f64) -> Result {
        let number = self.latest + 1;
        let timer = time(seconds).and_then(|time| self.socket.after(time, ReminderEvents::ring(number, text, false)));
        self.keep(number, timer)
    }

    #[client]
    fn nag(&mut self, text: &str, seconds: f64) -> Result {
        let number = self.latest + 1;
        let timer = time(seconds).and_then(|time| self.socket.every(time, ReminderEvents::ring(number, text, true)));
        self.keep(number, timer)
    }

    #[client]
    fn cancel(&mut self, number: u32) -> Result {
        let known = self.timers.remove(&number).is_some();
        self.socket.send(json!({ "event": "cancelled", "number": number, "known": known }))
    }

    #[event]
    fn ring(&mut self, number: u32, text: &str, again: bool) -> Result {
        // One that was on its way when it was cancelled rings for nobody.
        if !self.timers.contains_key(&number) {
            return Ok(());
        }
        if !again {
            self.timers.remove(&number);
        }
        self.socket.send(json!({ "event": "ring", "number": number, "text": text }))
    }

    #[event]
    fn visit_is_over(&mut self) -> Result {
        self.socket.close(4000, "the visit is over")
    }
}

impl Reminder {
    /// Keeps a timer under `number`, or tells why there is none.
    fn keep(&mut self, number: u32, timer: Result<Timer>) -> Result {
        match timer {
            Ok(timer) => {
                self.latest = number;
                self.timers.insert(number, timer);
                self.socket.send(json!({ "event": "set", "number": number }))
            }
            Err(fault) => self.socket.send(json!({ "event": "refused", "reason": fault.to_string() })),
        }
    }
}

/// What a client calls seconds may be negative, or no number.
fn time(seconds: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|error| Fault::Invalid(error.to_string()))
}

#[cfg(test)]
mod tests;
