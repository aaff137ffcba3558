//! The last seconds of a socket: what is still to be said is sent, and the client gets time to read it.

use std::time::Duration;

use futures_util::SinkExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message as Frame};

use crate::clients::{Limit, Visitor};
use crate::message::Closing;

/// How much of what the client still sends is read and thrown away, so that its system does not answer our close with a
/// reset that makes it drop what it has not read yet (RFC 6455, section 7.1.1).
const DISCARD: usize = 1024 * 1024;

/// The close that the client has asked for.
pub(super) fn theirs(frame: Option<CloseFrame>, visitor: Option<&Visitor>) -> Closing {
    let Some(frame) = frame else { return Closing::no_status() };
    let closing = Closing { code: frame.code.into(), reason: frame.reason.to_string() };
    // What tungstenite makes of a code that may not be sent; it has answered by itself.
    if closing.code == 1002
        && closing.reason == "Protocol violation"
        && let Some(visitor) = visitor
    {
        visitor.met(Limit::WebSocket);
    }
    closing
}

/// What a client is closed with that made this error; none if it is gone.
pub(super) fn code(error: &Error) -> Option<u16> {
    match error {
        Error::Capacity(_) => Some(1009),
        Error::Utf8(_) => Some(1007),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Protocol(_) => Some(1002),
        _ => None,
    }
}

pub(super) fn close_frame(closing: &Closing) -> CloseFrame {
    CloseFrame { code: closing.code.into(), reason: closing.reason.as_str().into() }
}

/// Sends a close frame if one is owed, then closes the stream; takes at most `patience`.
pub(super) async fn finish<S>(mut socket: WebSocketStream<S>, farewell: Option<Closing>, patience: Duration)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let ending = async {
        match &farewell {
            // An error means that the client is gone, and there is nobody to tell.
            Some(closing) => drop(socket.send(Frame::Close(Some(close_frame(closing)))).await),
            // The answer to the client's close frame may still lie in the buffer.
            None => drop(socket.flush().await),
        }
        let stream = socket.get_mut();
        if stream.shutdown().await.is_ok() && farewell.is_some() {
            let mut scratch = [0; 1024];
            let mut discarded = 0;
            while discarded < DISCARD
                && let Ok(read @ 1..) = stream.read(&mut scratch).await
            {
                discarded += read;
            }
        }
    };
    // Running out of patience drops the socket, which is all that is left to do.
    let _ = tokio::time::timeout(patience, ending).await;
}
