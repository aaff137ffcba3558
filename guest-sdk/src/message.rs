//! What travels between a client and its controller object: a WebSocket message, whole, owned or borrowed.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::fault::Result;

/// One WebSocket message, whole: the host has joined its fragments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text, which is valid UTF-8.
    Text(String),
    /// Bytes, with no meaning to the host.
    Binary(Vec<u8>),
}

impl Message {
    /// A text message that holds `value` as JSON.
    ///
    /// # Errors
    ///
    /// [`Fault::Invalid`](crate::Fault::Invalid) if JSON cannot hold the value, as a map whose keys are not strings.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        Ok(Self::Text(serde_json::to_string(value)?))
    }

    /// Reads the message as JSON, be it text or binary.
    ///
    /// # Errors
    ///
    /// [`Fault::Invalid`](crate::Fault::Invalid) if it is no JSON or not a `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        Ok(serde_json::from_slice(self.as_bytes())?)
    }

    /// The text of a text message; `None` for a binary one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// The content, be it text or binary.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}

/// What may be sent as a message: anything that is text or bytes, owned or borrowed.
///
/// Nobody names this type; `send` and `publish` take `impl Into<Outgoing>`, which strings, byte slices, JSON
/// [values](Value) and messages are. Sending a borrowed text copies nothing in the guest.
#[derive(Clone, Debug)]
pub enum Outgoing<'a> {
    /// Goes out as a text message.
    Text(Cow<'a, str>),
    /// Goes out as a binary message.
    Binary(Cow<'a, [u8]>),
}

impl Outgoing<'_> {
    /// The message that this becomes.
    pub fn into_message(self) -> Message {
        match self {
            Self::Text(text) => Message::Text(text.into_owned()),
            Self::Binary(bytes) => Message::Binary(bytes.into_owned()),
        }
    }
}

/// `From` for the message and for what is sent without being one; `$make` turns the source into a `Cow`.
macro_rules! outgoing {
    ($($source:ty => $kind:ident, |$from:ident| $make:expr;)*) => {$(
        impl<'a> From<$source> for Outgoing<'a> {
            fn from($from: $source) -> Self {
                Self::$kind($make)
            }
        }
        impl<'a> From<$source> for Message {
            fn from(source: $source) -> Self {
                Outgoing::from(source).into_message()
            }
        }
    )*};
}

outgoing! {
    &'a str => Text, |text| Cow::Borrowed(text);
    &'a String => Text, |text| Cow::Borrowed(text);
    String => Text, |text| Cow::Owned(text);
    Cow<'a, str> => Text, |text| text;
    &'a [u8] => Binary, |bytes| Cow::Borrowed(bytes);
    &'a Vec<u8> => Binary, |bytes| Cow::Borrowed(bytes);
    Vec<u8> => Binary, |bytes| Cow::Owned(bytes);
    Value => Text, |value| Cow::Owned(value.to_string());
    &'a Value => Text, |value| Cow::Owned(value.to_string());
}

impl<'a, const N: usize> From<&'a [u8; N]> for Outgoing<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Binary(Cow::Borrowed(bytes))
    }
}

impl<const N: usize> From<&[u8; N]> for Message {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Binary(bytes.to_vec())
    }
}

impl From<Message> for Outgoing<'_> {
    fn from(message: Message) -> Self {
        match message {
            Message::Text(text) => Self::Text(Cow::Owned(text)),
            Message::Binary(bytes) => Self::Binary(Cow::Owned(bytes)),
        }
    }
}

impl<'a> From<&'a Message> for Outgoing<'a> {
    fn from(message: &'a Message) -> Self {
        match message {
            Message::Text(text) => Self::Text(Cow::Borrowed(text)),
            Message::Binary(bytes) => Self::Binary(Cow::Borrowed(bytes)),
        }
    }
}
