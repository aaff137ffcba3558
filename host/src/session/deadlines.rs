//! When a session must act though nothing happens: ping a silent client, give a dead one up, end the patience with one
//! that is being closed. One timer serves them all.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// How long a session may keep buffers that nothing has been in, twice: it looks after each, and gives them back where it finds
/// none used since the last time. Long enough for a client that says something now and then not to notice.
const LOOK_AFTER: Duration = Duration::from_secs(10);

/// The deadlines of one session.
pub(super) struct Deadlines {
    timer: Pin<Box<Sleep>>,
    ping_interval: Duration,
    idle_timeout: Duration,
    last_heard: Instant,
    last_ping: Instant,
    /// The drain's moment, or the end of the time that a client has to answer our close.
    close_due: Option<Instant>,
    closing: bool,
    /// When it is looked whether buffers are in use, while there are any.
    look: Option<Instant>,
}

/// Which deadline has passed.
pub(super) enum Passed {
    Close,
    Idle,
    Ping,
    None,
}

impl Deadlines {
    pub(super) fn new(ping_interval: Duration, idle_timeout: Duration) -> Self {
        let now = Instant::now();
        Deadlines {
            timer: Box::pin(tokio::time::sleep_until(now + ping_interval)),
            ping_interval,
            idle_timeout,
            last_heard: now,
            last_ping: now,
            close_due: None,
            closing: false,
            look: None,
        }
    }

    /// Ready when one of them may have passed.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.timer.as_mut().poll(context)
    }

    /// The client has said something. The timer is not set anew for it: when it fires it is, which is far less often.
    pub(super) fn heard(&mut self) {
        self.last_heard = Instant::now();
    }

    /// The client may well be alive, though it has said nothing: it is asked before it is given up.
    pub(super) fn doubt(&mut self) {
        self.last_heard = self.last_heard.max(Instant::now() - self.ping_interval);
    }

    /// A close is due at `when`, unless one is due before.
    pub(super) fn close_at(&mut self, when: Instant) {
        self.close_due = Some(self.close_due.map_or(when, |due| due.min(when)));
        self.set_timer();
    }

    /// The client is being closed and has `patience` for its part, whatever was due before.
    pub(super) fn close_within(&mut self, patience: Duration) {
        self.closing = true;
        self.close_due = Some(Instant::now() + patience);
        self.set_timer();
    }

    /// There are buffers: whether they are in use is to be looked at after a while.
    pub(super) fn look_again(&mut self) {
        if self.look.is_none() {
            self.look = Some(Instant::now() + LOOK_AFTER);
            self.set_timer();
        }
    }

    /// Whether it is time for that look, which is said once.
    pub(super) fn look_is_due(&mut self) -> bool {
        self.look.take_if(|look| *look <= Instant::now()).is_some()
    }

    /// Whether a close is due by now.
    pub(super) fn close_is_due(&self) -> bool {
        self.close_due.is_some_and(|due| due <= Instant::now())
    }

    /// Which deadline has passed; its time counts anew from here on.
    pub(super) fn passed(&mut self) -> Passed {
        let now = Instant::now();
        let passed = if self.close_is_due() {
            self.close_due = None;
            Passed::Close
        } else if now >= self.last_heard + self.idle_timeout {
            Passed::Idle
        } else if !self.closing && now >= self.ping_due() {
            self.last_ping = now;
            Passed::Ping
        } else {
            Passed::None
        };
        self.set_timer();
        passed
    }

    fn ping_due(&self) -> Instant {
        self.last_heard.max(self.last_ping) + self.ping_interval
    }

    fn set_timer(&mut self) {
        let mut next = self.last_heard + self.idle_timeout;
        if !self.closing {
            next = next.min(self.ping_due());
        }
        for due in [self.close_due, self.look].into_iter().flatten() {
            next = next.min(due);
        }
        // Never in the past: a timer that is due already would make a busy loop.
        self.timer.as_mut().reset(next.max(Instant::now() + Duration::from_millis(1)));
    }
}
