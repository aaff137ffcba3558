//! Which node holds which key.

use std::fmt;

use crc16::{State, XMODEM};
use redis::Value;

/// A Redis process, by its address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Display for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}

/// Where keys are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Map {
    /// All on one node.
    One(Node),
    /// Ranges of slots, first and last included, and their master.
    Slots(Vec<(u16, u16, Node)>),
}

impl Map {
    /// The node that holds `key`; none if the cluster has lost that part.
    pub(super) fn node(&self, key: &str) -> Option<&Node> {
        match self {
            Map::One(node) => Some(node),
            Map::Slots(ranges) => {
                let slot = slot(key);
                ranges.iter().find(|(first, last, _)| (*first..=*last).contains(&slot)).map(|(_, _, node)| node)
            }
        }
    }

    /// Reads the answer to `CLUSTER SLOTS` of `asked`. A node that does not know its own host is where it was asked.
    pub(super) fn from_slots(answer: &Value, asked: &Node) -> Option<Self> {
        let Value::Array(ranges) = answer else { return None };
        let ranges: Option<Vec<_>> = ranges
            .iter()
            .map(|range| {
                let Value::Array(parts) = range else { return None };
                let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = parts.as_slice() else {
                    return None;
                };
                let [host, Value::Int(port), ..] = master.as_slice() else { return None };
                let host = match host {
                    Value::BulkString(host) => String::from_utf8(host.clone()).ok()?,
                    Value::Nil => String::new(),
                    _ => return None,
                };
                let host = if matches!(host.as_str(), "" | "?") { asked.host.clone() } else { host };
                let node = Node { host, port: u16::try_from(*port).ok()? };
                Some((u16::try_from(*first).ok()?, u16::try_from(*last).ok()?, node))
            })
            .collect();
        ranges.filter(|ranges| !ranges.is_empty()).map(Map::Slots)
    }
}

/// The slot of a key: of what stands between the first `{` and the next `}`, if there is something (Redis Cluster
/// specification, "Hash tags").
fn slot(key: &str) -> u16 {
    let tag = key
        .split_once('{')
        .and_then(|(_, rest)| rest.split_once('}'))
        .map(|(tag, _)| tag)
        .filter(|tag| !tag.is_empty())
        .unwrap_or(key);
    State::<XMODEM>::calculate(tag.as_bytes()) % 16384
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_redis() {
        // As `CLUSTER KEYSLOT` answers.
        assert_eq!(slot("somekey"), 11058);
        assert_eq!(slot("foo{hash_tag}"), 2515);
        assert_eq!(slot("bar{hash_tag}"), 2515);
        assert_eq!(slot("foo{}"), State::<XMODEM>::calculate(b"foo{}") % 16384);
    }
}
