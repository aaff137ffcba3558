//! The socket of a session, whichever side has begun it: how long its messages may be, and how much is read and written at a
//! time.

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::heard::Heard;
use crate::config::Config;

/// How much tungstenite collects before it writes without being told to flush.
const WRITE_BUFFER: usize = 16 * 1024;

/// A WebSocket whose handshake is done.
pub(crate) struct Socket<S>(pub(super) WebSocketStream<Heard<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// Of an upgraded stream; `read` is what was read of it beyond the handshake.
    pub(crate) async fn accepted(stream: S, read: Bytes, settings: &Config) -> Self {
        let config = Some(config(settings));
        Socket(WebSocketStream::from_raw_socket(Heard::of_client(stream, read), Role::Server, config).await)
    }
}

/// What is said of a message that is longer in fragments than any can be that has something in each.
pub(super) fn padded(settings: &Config) -> Error {
    let (size, max_size) = (settings.max_message + 1, settings.max_message);
    Error::Capacity(CapacityError::MessageTooLong { size, max_size })
}

pub(super) fn config(settings: &Config) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(settings.read_buffer)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(Some(settings.max_message))
        .max_frame_size(Some(settings.max_frame.min(settings.max_message)))
}
