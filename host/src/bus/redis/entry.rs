//! The wire format of events, version 1: an entry of a stream, each field a name and a text. docs/wire-format.md documents it for
//! programs that emit by themselves. What is read is checked like a client's input.

use std::collections::HashMap;
use std::sync::Arc;

use redis::{Cmd, Value};

use crate::identity::Identity;
use crate::ids::{ConnectionId, ServerId};
use crate::message::{Event, SharedEvent};
use crate::text::printable;

/// The version that is written. One that is higher is skipped when read.
const VERSION: &str = "1";

/// Where an entry stands among those of one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) sender: ServerId,
    /// Grows with each event that the server emits, whatever the stream.
    pub(super) seq: u64,
    /// Counts the events that the server puts on this stream: 1, 2, 3.
    pub(super) index: u64,
}

impl Origin {
    /// No server emits as many events: ten million a second for 28 years.
    const LARGEST: u64 = 1 << 53;

    /// Whether a server can have counted like this.
    fn is_plausible(self) -> bool {
        (1..=self.seq).contains(&self.index) && self.seq <= Origin::LARGEST
    }
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    /// An event for all that the stream stands for, or for one connection.
    Event { event: SharedEvent, to: Option<ConnectionId>, from: Option<ConnectionId> },
    /// What the connection `to` has sent to `target` could not be delivered.
    Undelivered { event: SharedEvent, to: ConnectionId, target: ConnectionId },
    /// The connection `to` holds, or held, an identity, and is to look whether it still does and what waits.
    Ring { identity: Identity, to: ConnectionId },
    /// Another program wants this event stored for an identity.
    Notify { identity: Identity, event: SharedEvent },
}

impl Body {
    /// What it takes up while it waits, in bytes.
    pub(super) fn cost(&self) -> usize {
        match self {
            Body::Event { event, .. } | Body::Undelivered { event, .. } | Body::Notify { event, .. } => event.cost(),
            Body::Ring { identity, .. } => identity.as_str().len() + 64,
        }
    }
}

/// Why an entry is skipped.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("version {} is newer than {VERSION}", printable(.0))]
    Newer(String),
    #[error("{}", printable(.0))]
    Malformed(String),
}

/// Adds the fields of an entry to an `XADD`.
pub(super) fn write(body: &Body, origin: Origin, command: &mut Cmd) {
    let (event, to, from, target) = match body {
        Body::Event { event, to, from } => (event, *to, *from, None),
        Body::Undelivered { event, to, target } => (event, Some(*to), None, Some(*target)),
        Body::Ring { identity, to } => {
            command.arg("v").arg(VERSION).arg("identity").arg(identity.as_str()).arg("to").arg(to.to_string());
            return write_origin(origin, command);
        }
        Body::Notify { identity, event } => {
            command.arg("v").arg(VERSION).arg("identity").arg(identity.as_str());
            command.arg("event").arg(&event.name).arg("args").arg(&event.args);
            return write_origin(origin, command);
        }
    };
    command.arg("v").arg(VERSION).arg("event").arg(&event.name).arg("args").arg(&event.args);
    for (name, id) in [("to", to), ("from", from), ("undelivered", target)] {
        if let Some(id) = id {
            command.arg(name).arg(id.to_string());
        }
    }
    write_origin(origin, command);
}

fn write_origin(origin: Origin, command: &mut Cmd) {
    command.arg("sender").arg(origin.sender.to_string()).arg("seq").arg(origin.seq).arg("index").arg(origin.index);
}

/// Understands the fields of an entry: names and values in turn. `largest` bounds the arguments of an event.
pub(super) fn read(fields: Vec<Value>, largest: usize) -> Result<(Body, Option<Origin>), Unreadable> {
    let mut fields = Fields::new(fields)?;
    check_version(&fields.take("v").ok_or_else(|| malformed("v is missing"))?)?;
    let identity = fields.take("identity").map(|name| Identity::new(&name).map_err(malformed)).transpose()?;
    let name = match (fields.take("event"), &identity) {
        (Some(name), _) => name,
        (None, Some(identity)) => {
            let to = fields.id("to")?.ok_or_else(|| malformed("identity without event and without to"))?;
            return Ok((Body::Ring { identity: identity.clone(), to }, fields.origin()?));
        }
        (None, None) => return Err(malformed("event is missing")),
    };
    let args = fields.take("args").unwrap_or_else(|| "[]".to_owned());
    if name.is_empty() || name.len() > Event::NAME_LIMIT {
        return Err(malformed(format!("event has 1 to {} bytes, not {}", Event::NAME_LIMIT, name.len())));
    }
    if args.len() > largest {
        return Err(malformed(format!("args have {} bytes; max-event is {largest}", args.len())));
    }
    let origin = fields.origin()?;
    // What a server has sent was a guest's; whether it is JSON is between guests.
    if origin.is_none() && serde_json::from_str::<Vec<serde::de::IgnoredAny>>(&args).is_err() {
        return Err(malformed(format!("args is {args:.60?}, not a JSON array")));
    }
    let event = Arc::new(Event { name, args });
    let (to, from, target) = (fields.id("to")?, fields.id("from")?, fields.id("undelivered")?);
    if let Some(identity) = identity {
        return Ok((Body::Notify { identity, event }, origin));
    }
    let body = match (target, to) {
        (None, to) => Body::Event { event, to, from },
        (Some(target), Some(to)) => Body::Undelivered { event, to, target },
        (Some(_), None) => return Err(malformed("undelivered without to")),
    };
    Ok((body, origin))
}

/// Whether something is of the version that is known here.
pub(super) fn check_version(version: &str) -> Result<(), Unreadable> {
    if version == VERSION {
        return Ok(());
    }
    match version.parse::<u32>() {
        Ok(number) if number > 1 => Err(Unreadable::Newer(number.to_string())),
        _ => Err(malformed(format!("{version:.20?} is not a version"))),
    }
}

fn malformed(text: impl Into<String>) -> Unreadable {
    Unreadable::Malformed(text.into())
}

/// Fields by name; those that this version does not know are left alone.
struct Fields(HashMap<String, String>);

impl Fields {
    fn new(fields: Vec<Value>) -> Result<Self, Unreadable> {
        let mut named = HashMap::with_capacity(fields.len() / 2);
        let mut fields = fields.into_iter();
        while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
            let (Value::BulkString(name), Value::BulkString(value)) = (name, value) else {
                return Err(malformed("a field is no text"));
            };
            let name = String::from_utf8_lossy(&name).into_owned();
            let value =
                String::from_utf8(value).map_err(|_| malformed(format!("{:.20} is not UTF-8", printable(&name))))?;
            named.insert(name, value);
        }
        Ok(Fields(named))
    }

    fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    fn id(&mut self, name: &str) -> Result<Option<ConnectionId>, Unreadable> {
        let Some(text) = self.take(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|wrong| malformed(format!("{name} is {text:.40?}: {wrong}")))
    }

    fn origin(&mut self) -> Result<Option<Origin>, Unreadable> {
        let Some(sender) = self.take("sender") else { return Ok(None) };
        let sender = sender.parse().map_err(|wrong| malformed(format!("sender is {sender:.20?}: {wrong}")))?;
        let mut number = |name: &str| {
            let text = self.take(name).unwrap_or_default();
            text.parse().map_err(|_| malformed(format!("{name} is {text:.20?}, not a number")))
        };
        let origin = Origin { sender, seq: number("seq")?, index: number("index")? };
        if !origin.is_plausible() {
            let Origin { seq, index, .. } = origin;
            return Err(malformed(format!("seq {seq} with index {index} is no count of a server's")));
        }
        Ok(Some(origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(fields: &[&str]) -> Vec<Value> {
        fields.iter().map(|text| Value::BulkString(text.as_bytes().to_vec())).collect()
    }

    fn event() -> SharedEvent {
        Arc::new(Event { name: "said".into(), args: "[1]".into() })
    }

    #[test]
    fn what_is_written_is_read() {
        let server = ServerId::random();
        let (one, two) = (ConnectionId::random(server), ConnectionId::random(server));
        let origin = Origin { sender: server, seq: 7, index: 3 };
        for body in [
            Body::Event { event: event(), to: None, from: None },
            Body::Event { event: event(), to: Some(one), from: Some(two) },
            Body::Undelivered { event: event(), to: one, target: two },
            Body::Ring { identity: Identity::new("user:1").expect("an identity"), to: one },
            Body::Notify { identity: Identity::new("user:1").expect("an identity"), event: event() },
        ] {
            let mut command = redis::cmd("XADD");
            write(&body, origin, &mut command);
            let fields = command
                .args_iter()
                .skip(1)
                .map(|argument| match argument {
                    redis::Arg::Simple(bytes) => Value::BulkString(bytes.to_vec()),
                    other => panic!("not a text: {other:?}"),
                })
                .collect();
            assert_eq!(read(fields, 100), Ok((body, Some(origin))));
        }
    }

    #[test]
    fn others_may_say_less() {
        let body =
            Body::Event { event: Arc::new(Event { name: "said".into(), args: "[]".into() }), to: None, from: None };
        assert_eq!(read(values(&["v", "1", "event", "said", "later", "addition"]), 100), Ok((body, None)));
    }

    #[test]
    fn newer_and_malformed_are_told_apart() {
        assert_eq!(read(values(&["v", "2", "what", "ever"]), 100), Err(Unreadable::Newer("2".into())));
        let long = format!("[{}]", "1,".repeat(60));
        for fields in [
            &["event", "said"][..],
            &["v", "one", "event", "said"],
            &["v", "0", "event", "said"],
            &["v", "1"],
            &["v", "1", "event", ""],
            &["v", "1", "event", "said", "args", "{}"],
            &["v", "1", "event", "said", "args", "[1"],
            &["v", "1", "event", "said", "args", &long],
            &["v", "1", "event", "said", "to", "bob"],
            &["v", "1", "event", "said", "sender", "x", "seq", "1", "index", "1"],
            &["v", "1", "event", "said", "sender", "0123456789abcde", "seq", "1"],
            &["v", "1", "event", "said", "sender", "0123456789abcde", "seq", "18446744073709551615", "index", "3"],
            &["v", "1", "event", "said", "sender", "0123456789abcde", "seq", "9", "index", "10"],
            &["v", "1", "event", "said", "sender", "0123456789abcde", "seq", "9", "index", "0"],
            &["v", "1", "event", "said", "undelivered", &ConnectionId::random(ServerId::random()).to_string()],
        ] {
            assert!(matches!(read(values(fields), 100), Err(Unreadable::Malformed(_))), "{fields:?}");
        }
        let bytes = vec![Value::BulkString(b"v".to_vec()), Value::BulkString(vec![0xff])];
        assert!(matches!(read(bytes, 100), Err(Unreadable::Malformed(_))));
    }
}
