//! The last seconds of a socket: what is still to be said is sent, and the client gets time to read it.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message as Frame};

use super::frames::Stopped;
use super::socket::Socket;
use crate::closing::{CloseCause, Closing};
use crate::text::cut;

/// How much of what the client still sends is read and thrown away, so that its system does not answer our close with a
/// reset that makes it drop what it has not read yet (RFC 6455, section 7.1.1).
const DISCARD: usize = 1024 * 1024;

/// The close that the other end has asked for.
pub(super) fn theirs(frame: Option<CloseFrame>) -> Closing {
    Closing::by_peer(frame.map(|frame| (frame.code.into(), frame.reason.to_string())))
}

/// What an error of the stream means for the connection.
pub(super) enum Meaning {
    /// The other end has closed it.
    Closed(Closing),
    /// The other end is there, and has done what this is the close for.
    Wrong(Closing),
    /// The other end is gone.
    Lost,
}

/// What an error means.
pub(super) fn meaning(error: &Error) -> Meaning {
    let stopped = Stopped::of(error);
    if let Some(Stopped::Close { code, reason }) = stopped
        && Closing::may_be_sent(*code)
    {
        return Meaning::Closed(Closing::by_peer(Some((*code, reason.clone()))));
    }
    let cause = match error {
        Error::Capacity(_) => CloseCause::TooLarge,
        Error::Utf8(_) => CloseCause::NoText,
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return Meaning::Lost,
        Error::Protocol(_) => CloseCause::Protocol,
        _ if stopped.is_some() => CloseCause::Protocol,
        _ => return Meaning::Lost,
    };
    let reason = stopped.map_or_else(|| error.to_string(), ToString::to_string);
    Meaning::Wrong(Closing::with(cause, cut(&reason, Closing::REASON_LIMIT)))
}

pub(super) fn close_frame(closing: &Closing) -> CloseFrame {
    CloseFrame { code: closing.code.into(), reason: closing.reason.as_str().into() }
}

/// Sends a close frame if one is owed, then closes the stream; takes at most `patience`.
pub(super) async fn finish<S>(mut socket: Socket<S>, farewell: Option<Closing>, patience: Duration)
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
        let stream = socket.heard.stream();
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
