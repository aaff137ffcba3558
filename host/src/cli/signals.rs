//! What each signal means whose default is the end of the process. All are handled, and none is ignored: a signal that is
//! ignored stays so in programs that are started, one that is handled does not. What to do when the server is to end is
//! `serve`'s matter.
//!
//! | signal | meaning |
//! | --- | --- |
//! | TERM, INT | the server is to end; the second one ends it at once |
//! | PWR, XCPU | the power or the CPU time of the process (`RLIMIT_CPU`) is about to end: as the first TERM |
//! | HUP | nothing is reloaded yet: a line in the log |
//! | USR1, USR2, ALRM, VTALRM, PROF, IO, STKFLT, real-time ones | nothing: a line in the log |
//! | XFSZ | a file is over `RLIMIT_FSIZE`: the write fails, as on a full disk, and a line in the log |
//! | PIPE | nothing, which is the standard library's doing: the write fails |
//! | QUIT | left as it is, with a core dump: for a server that hangs |
//! | ILL, TRAP, ABRT, BUS, FPE, SEGV, SYS | left as they are: the program is at fault |

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::rate::{Admitted, RateLimit};

/// Those that mean nothing, and what the log says.
const NOTED: [(&str, Number, &str); 9] = [
    ("SIGHUP", Number::HUP, "settings and controllers are read at the start only; start again for new ones"),
    ("SIGUSR1", Number::USR1, NOTHING),
    ("SIGUSR2", Number::USR2, NOTHING),
    ("SIGALRM", Number::ALARM, NOTHING),
    ("SIGVTALRM", Number::VTALARM, NOTHING),
    ("SIGPROF", Number::PROF, NOTHING),
    ("SIGIO", Number::IO, NOTHING),
    ("SIGSTKFLT", Number::STKFLT, NOTHING),
    (
        "SIGXFSZ",
        Number::XFSZ,
        "a file would be larger than this process may make it (ulimit -f, LimitFSIZE=): the write fails",
    ),
];
const NOTHING: &str = "it means nothing here; SIGTERM stops the server";

/// Real-time signals on Linux. A C library that keeps the first of them for itself refuses it.
const REAL_TIME: std::ops::RangeInclusive<i32> = 34..=64;

/// Lines a second.
const LINES: u32 = 5;

/// From here on the signals that mean nothing do not end the process; each is in the log.
///
/// # Errors
///
/// The system refuses a handler.
pub(super) fn note_the_others() -> io::Result<()> {
    let mut noted = Vec::new();
    for (name, number, what) in NOTED {
        noted.push((name.to_owned(), what, handled(number)?));
    }
    for number in REAL_TIME {
        if let Ok(signal) = signal(SignalKind::from_raw(number)) {
            noted.push((format!("signal {number}"), NOTHING, signal));
        }
    }
    // A handler stays for as long as the process, whatever becomes of the task.
    #[expect(clippy::disallowed_methods, reason = "signals are noted for as long as the process lives")]
    tokio::spawn(async move {
        let lines = RateLimit::new(LINES);
        loop {
            let (name, what) = poll_fn(|context| {
                let came = noted.iter_mut().find_map(|(name, what, signal)| {
                    let came = matches!(signal.poll_recv(context), Poll::Ready(Some(())));
                    came.then(|| (name.clone(), *what))
                });
                came.map_or(Poll::Pending, Poll::Ready)
            })
            .await;
            match lines.admit() {
                Admitted::Yes => tracing::warn!("{name}: {what}"),
                Admitted::FirstNo => tracing::warn!("more signals within this second are not logged"),
                Admitted::No => {}
            }
        }
    });
    Ok(())
}

/// The signals that mean the end.
pub(super) struct Ends {
    terminate: Signal,
    interrupt: Signal,
    power: Signal,
    cpu_time: Signal,
}

impl Ends {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Ends {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            power: handled(Number::POWER)?,
            cpu_time: handled(Number::XCPU)?,
        })
    }

    /// Resolves when the server is to drain.
    pub(super) async fn first(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.power.recv() => tracing::warn!("SIGPWR: the power is about to fail"),
            _ = self.cpu_time.recv() => {
                tracing::warn!("SIGXCPU: the CPU time that this process may use is over (ulimit -t, LimitCPU=)");
            }
        }
    }

    /// Resolves when somebody will not wait until it has. The other two come again and again by themselves.
    pub(super) async fn second(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn handled(number: Number) -> io::Result<Signal> {
    signal(SignalKind::from_raw(number.as_raw()))
}
