//! Reads what comes from Redis and writes what was understood: what a fuzzer looks at.

use redis::{Arg, Value};

use super::entry::{self, Origin};
use super::publications;
use crate::ids::ServerId;

/// An entry of a stream; one without an origin is given one, as a server that passes it on would.
pub(crate) fn entry(fields: &[&[u8]], largest: usize) -> Result<Vec<Vec<u8>>, String> {
    let fields = fields.iter().map(|field| Value::BulkString(field.to_vec())).collect();
    let (body, origin) = entry::read(fields, largest).map_err(|unreadable| unreadable.to_string())?;
    let origin = origin.unwrap_or_else(|| Origin { sender: ServerId::random(), seq: 1, index: 1 });
    let mut command = redis::Cmd::new();
    entry::write(&body, origin, &mut command);
    let written = command.args_iter().map(|argument| match argument {
        Arg::Simple(bytes) => bytes.to_vec(),
        _ => Vec::new(),
    });
    Ok(written.collect())
}

/// What came over a channel.
pub(crate) fn publication(payload: &[u8], largest: usize) -> Result<Vec<u8>, String> {
    let (message, sender) = publications::read(payload, largest).map_err(|unreadable| unreadable.to_string())?;
    Ok(publications::write(&message, sender.unwrap_or_else(ServerId::random)))
}
