//! The opening handshake of a connection to a server elsewhere (RFC 6455, section 4.1), over a stream that is open already.

use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderValue};
use http::{Request, StatusCode, Uri};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::heard::Heard;
use super::socket::{Socket, config};
use crate::config::Config;
use crate::destination::Target;

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAgreed {
    #[error("the server answered {0}")]
    Answer(StatusCode),
    #[error("no handshake: {0}")]
    Failed(String),
}

/// Asks the server for a WebSocket. `wish` has the URI and the header fields that are not the handshake's own. Gives the header
/// fields of the answer, too.
///
/// # Cancel safety
///
/// Dropped half-way, the stream is closed.
pub(crate) async fn shake_hands<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    target: &Target,
    wish: &Request<()>,
    subprotocols: &[String],
    settings: &Arc<Config>,
) -> Result<(Socket<S>, HeaderMap), NotAgreed> {
    let request = request(target, wish, subprotocols).map_err(|wrong| NotAgreed::Failed(wrong.to_string()))?;
    match client_async_with_config(request, Heard::of_server(stream), Some(config(settings))).await {
        Ok((socket, answer)) => {
            let headers = answer.into_parts().0.headers;
            check(&headers)?;
            // Nothing is lost: it was given the head alone.
            Ok((Socket::new(socket.into_inner(), Role::Client, settings), headers))
        }
        Err(Error::Http(answer)) => Err(NotAgreed::Answer(answer.status())),
        Err(error) => Err(NotAgreed::Failed(error.to_string())),
    }
}

/// What RFC 6455, section 4.1 wants of an answer, as far as tungstenite does not look.
fn check(headers: &HeaderMap) -> Result<(), NotAgreed> {
    let failed = |wrong: &str| Err(NotAgreed::Failed(wrong.to_owned()));
    if headers.contains_key(header::SEC_WEBSOCKET_EXTENSIONS) {
        return failed("the server uses an extension, and none was offered");
    }
    if headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().nth(1).is_some() {
        return failed("the server chooses several subprotocols");
    }
    Ok(())
}

fn request(target: &Target, wish: &Request<()>, subprotocols: &[String]) -> http::Result<Request<()>> {
    // As it was judged, and not as it was spelled.
    let path = wish.uri().path_and_query().map_or("/", |path| path.as_str());
    let uri =
        Uri::builder().scheme(target.scheme.to_string().as_str()).authority(target.authority()).path_and_query(path);
    let mut request = Request::builder().uri(uri.build()?).body(())?;
    let headers = request.headers_mut();
    headers.extend(wish.headers().clone());
    headers.insert(header::HOST, HeaderValue::try_from(target.authority())?);
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    headers.insert(header::SEC_WEBSOCKET_KEY, HeaderValue::try_from(generate_key())?);
    if !subprotocols.is_empty() {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::try_from(subprotocols.join(", "))?);
    }
    Ok(request)
}
