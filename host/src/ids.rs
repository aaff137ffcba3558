//! The names of servers and connections: which server an event must go to can be read off the id of a connection.
//!
//! An id is a UUID version 8 (RFC 9562, section 5.8). Of its 122 free bits the first 60 name the server, the last 62 the
//! connection on it; both come from the operating system's random source, so that an id cannot be guessed.

use std::fmt;
use std::str::FromStr;

use uuid::{Uuid, Variant};

const SERVER_BITS: u32 = 60;
const CONNECTION_BITS: u32 = 62;

/// One running host process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(u64);

impl ServerId {
    /// A new random id.
    pub fn random() -> Self {
        ServerId(random_bits(SERVER_BITS))
    }
}

impl fmt::Display for ServerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:015x}", self.0)
    }
}

impl fmt::Debug for ServerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A text that is not the id of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a server: 15 hexadecimal digits in lower case are wanted")]
pub struct NotAServerId;

impl FromStr for ServerId {
    type Err = NotAServerId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.len() == 15 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !digits {
            return Err(NotAServerId);
        }
        u64::from_str_radix(text, 16).map(ServerId).map_err(|_| NotAServerId)
    }
}

/// The connection part of a [`ConnectionId`]: unique on its server.
pub(crate) type ConnectionKey = u64;

/// One connection, on whatever server.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnectionId {
    server: ServerId,
    key: ConnectionKey,
}

impl ConnectionId {
    /// A new random id of a connection on `server`.
    pub fn random(server: ServerId) -> Self {
        ConnectionId { server, key: random_bits(CONNECTION_BITS) }
    }

    /// The server that holds the connection.
    pub fn server(self) -> ServerId {
        self.server
    }

    pub(crate) fn key(self) -> ConnectionKey {
        self.key
    }

    /// The connection `key` of `server`.
    pub(crate) fn on(server: ServerId, key: ConnectionKey) -> Self {
        ConnectionId { server, key }
    }

    /// Where it lies between all possible ids of its server, 0 to 1: evenly spread over many.
    pub(crate) fn fraction(self) -> f64 {
        // The upper 32 of the 62 bits are precise enough and fit an f64.
        f64::from(u32::try_from(self.key >> (CONNECTION_BITS - 32)).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
    }

    fn uuid(self) -> Uuid {
        // The 48 bits of custom_a and the 12 of custom_b, around the version; then custom_c, behind the variant.
        let high = (self.server.0 >> 12) << 16 | (self.server.0 & 0xfff);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&high.to_be_bytes());
        bytes[8..].copy_from_slice(&self.key.to_be_bytes());
        Uuid::new_v8(bytes)
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.uuid().as_hyphenated(), formatter)
    }
}

impl fmt::Debug for ConnectionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A text that is not the id of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a connection: a UUID version 8 is wanted")]
pub struct NotAConnectionId;

impl FromStr for ConnectionId {
    type Err = NotAConnectionId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // One id has one spelling, so that texts can be compared.
        if text.len() != 36 || text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(NotAConnectionId);
        }
        let uuid = Uuid::try_parse(text).map_err(|_| NotAConnectionId)?;
        if uuid.get_version_num() != 8 || uuid.get_variant() != Variant::RFC4122 {
            return Err(NotAConnectionId);
        }
        let (high, low) = uuid.as_u64_pair();
        Ok(ConnectionId {
            server: ServerId((high >> 16) << 12 | (high & 0xfff)),
            key: low & ((1 << CONNECTION_BITS) - 1),
        })
    }
}

/// Whether a controller can have this name: it is part of paths, tables of the configuration, and keys in Redis.
pub(crate) fn is_controller_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=64).contains(&name.len()) && name.chars().all(allowed)
}

/// So many random bits.
pub(crate) fn random_bits(bits: u32) -> u64 {
    // Version 4 fixes bits in both halves; folding the halves leaves no fixed bit.
    let (high, low) = Uuid::new_v4().as_u64_pair();
    (high.rotate_left(32) ^ low) & ((1 << bits) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_id_are_the_same_thing() {
        for _ in 0..1_000 {
            let id = ConnectionId::random(ServerId::random());
            let text = id.to_string();
            let uuid = Uuid::try_parse(&text).expect("a UUID");
            assert_eq!((uuid.get_version_num(), uuid.get_variant()), (8, Variant::RFC4122));
            assert_eq!(text.parse(), Ok(id));
            assert_eq!(id.server().to_string().parse(), Ok(id.server()));
        }
    }

    #[test]
    fn every_bit_is_random() {
        let (mut server_ones, mut key_ones) = (0, 0);
        let (mut server_zeros, mut key_zeros) = (0, 0);
        for _ in 0..200 {
            let id = ConnectionId::random(ServerId::random());
            server_ones |= id.server.0;
            key_ones |= id.key;
            server_zeros |= !id.server.0;
            key_zeros |= !id.key;
        }
        assert_eq!(server_ones & server_zeros, (1 << SERVER_BITS) - 1);
        assert_eq!(key_ones & key_zeros, (1 << CONNECTION_BITS) - 1);
    }

    #[test]
    fn other_texts_are_refused() {
        let upper = ConnectionId::random(ServerId(0xabc)).to_string().to_uppercase();
        for text in ["", "x", "67e55044-10b1-426f-9247-bb680e5fe0c8", "00000000-0000-8000-0000-000000000000", &upper] {
            assert_eq!(text.parse::<ConnectionId>(), Err(NotAConnectionId), "{text}");
        }
        for text in ["", "abc", "00000000000000g", "00000000000000A", "+0000000000000a", "0000000000000000"] {
            assert_eq!(text.parse::<ServerId>(), Err(NotAServerId), "{text}");
        }
    }
}
