//! What a client can tell the guest to do. Emitting is answered by its outcome: `ok` or the fault.

use crate::{CALLS, Probe, ProbeEvents, answer, instance, kept};
use lakou_sdk::{ConnectionId, Event, Result, messaging};
use std::sync::atomic::Ordering;

/// Obeys `COMMAND ARGUMENTS`.
pub(crate) fn obey(probe: &Probe, text: &str) -> Result {
    let socket = &probe.socket;
    let (command, rest) = text.split_once(' ').unwrap_or((text, ""));
    let (first, second) = rest.split_once(' ').unwrap_or((rest, ""));
    let done = match command {
        "echo" => return socket.send(rest),
        "id" => return socket.send(socket.id().as_str()),
        "instance" => return socket.send(instance().to_string()),
        "calls" => return socket.send(CALLS.load(Ordering::Relaxed).to_string()),
        "surroundings" => return socket.send(surroundings()),
        "request" => return socket.send(answer::report(&probe.request)),
        // Messages of FIRST bytes, SECOND of them, with no answer of their own.
        "send" => return send(probe, number(first), number(second).max(1)),
        "close" => socket.close(u16::try_from(number(first)).unwrap_or_default(), second),
        "broadcast" => socket.broadcast(ProbeEvents::tell(rest)),
        "multicast" => socket.multicast(ProbeEvents::tell(rest)),
        "unicast" => socket.unicast(&ConnectionId::from(first), ProbeEvents::tell(second)),
        "broadcast-to" => messaging::broadcast(first, ProbeEvents::tell(second)),
        "multicast-to-all" => messaging::multicast(ProbeEvents::tell(rest)),
        "unicast-blindly" => messaging::unicast(&ConnectionId::from(first), ProbeEvents::tell(second)),
        "large" => socket.broadcast(ProbeEvents::tell(&"x".repeat(number(first)))),
        "named" => socket.broadcast(Event::from_json(first.to_owned(), second)),
        "count" => (0..u32::try_from(number(second)).unwrap_or_default())
            .try_for_each(|number| socket.broadcast(ProbeEvents::number(first, number))),
        "subscribe" => socket.subscribe(rest),
        "unsubscribe" => {
            socket.unsubscribe(rest);
            Ok(())
        }
        "keep" => return socket.send(kept::keep(socket)),
        "subscribe-kept" => kept::subscribe(rest),
        "send-kept" => kept::send(rest),
        "publish" => messaging::publish(first, second),
        "publish-bytes" => messaging::publish(first, second.as_bytes()),
        _ => return socket.send(format!("no command `{command}`")),
    };
    socket.send(outcome(done))
}

/// An outcome as a client reads it.
pub(crate) fn outcome(result: Result) -> String {
    match result {
        Ok(()) => "ok".to_owned(),
        Err(fault) => fault.to_string(),
    }
}

/// What can be seen from inside of the sandbox: nothing, if all is well.
fn surroundings() -> String {
    let arguments = std::env::args().count();
    let variables = std::env::vars().count();
    let folders = ["/", ".", "/etc", "/tmp"].iter().filter(|path| std::fs::read_dir(path).is_ok()).count();
    let written = ["/tmp/probe", "probe"].iter().filter(|path| std::fs::write(path, "x").is_ok()).count();
    format!("{arguments} arguments, {variables} variables, {folders} folders, {written} written")
}

fn send(probe: &Probe, size: usize, count: usize) -> Result {
    let block = vec![b'x'; size];
    (0..count).try_for_each(|_| probe.socket.send(&block))
}

fn number(text: &str) -> usize {
    text.parse().unwrap_or_default()
}
