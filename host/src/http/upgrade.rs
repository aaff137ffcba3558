//! From a request to a session: the handshake is checked, the controller is asked, and the stream is handed over.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tracing::Instrument;

use super::handshake::Handshake;
use super::reject::Reject;
use super::{Body, Client, handshake};
use crate::clients::{Limit, Visitor};
use crate::closing::{CloseCause, Closing};
use crate::connection::Connection;
use crate::controller::{Class, Seat};
use crate::ids::ConnectionId;
use crate::linger::Lingering;
use crate::mailbox::{NotAccepted, Work};
use crate::patience::Patient;
use crate::phase::Watched;
use crate::request::{Acceptance, Peer, Request as Asked};
use crate::session::{Session, Socket};
use crate::text::cut;

/// The stream that the server gave to hyper.
type ClientStream = Watched<Patient<Lingering<TcpStream>>>;

/// Answers a request for a WebSocket; if the answer is 101, a session takes over the stream.
pub(super) async fn accept(
    class: Arc<Class>,
    mut request: Request<Incoming>,
    params: Vec<(String, String)>,
    client: Client,
) -> Result<Response<Body>, Reject> {
    let Handshake { accept_key, subprotocols } = handshake::check(&request).inspect_err(|reject| {
        if matches!(reject, Reject::Handshake(_)) {
            client.visitor.met(Limit::WebSocket);
        }
    })?;
    let asked = Arc::new(asked(&request, subprotocols, params, &client));
    class.admit().map_err(Reject::BackedOff)?;
    let seat = class.client_seat().ok_or(Reject::Busy)?;
    let accepted = ask(&seat, &asked).await?;
    if accepted.subprotocol.is_none() && !asked.subprotocols.is_empty() {
        class.chose_no_subprotocol(&asked.subprotocols);
    }
    let response = switching(&accept_key, &asked, accepted)?;

    let upgrade = hyper::upgrade::on(&mut request);
    let environment = &class.environment;
    let id = ConnectionId::random(environment.server);
    let connection = Arc::new(Connection::new(id, class.outbox_limit()).with_topics(class.topics_limit()));
    // Before the client can know that it is connected, so that whatever it causes from then on reaches the object.
    seat.put(Work::Open { connection: Arc::clone(&connection), request: asked });
    let span = tracing::debug_span!("connection", %id, controller = %class.name, remote = %client.visitor.address());
    // The task owns the client's place and its seat, and is awaited through `alive`.
    #[expect(clippy::disallowed_methods, reason = "the client that it owns holds `alive`, which the server awaits")]
    tokio::spawn(hand_over(upgrade, connection, seat, client).instrument(span));
    Ok(response)
}

async fn hand_over(upgrade: OnUpgrade, connection: Arc<Connection>, seat: Seat, client: Client) {
    // The opening is boxed, so that the task of an open connection does not keep room for it.
    if let Some(session) = Box::pin(open(upgrade, connection, seat, client.visitor.clone())).await {
        session.run().await;
    }
    drop(client);
}

async fn open(
    upgrade: OnUpgrade,
    connection: Arc<Connection>,
    seat: Seat,
    visitor: Visitor,
) -> Option<Box<Session<TcpStream>>> {
    // The stream is the one that the server gave to hyper.
    let stream = match upgrade.await.map(hyper::upgrade::Upgraded::downcast::<TokioIo<ClientStream>>) {
        Ok(Ok(stream)) => stream,
        left => {
            let why =
                left.err().map_or_else(|| "not the stream that hyper was given".to_owned(), |error| error.to_string());
            let closing = Closing::with(CloseCause::Lost, &format!("the client left before the upgrade: {why}"));
            connection.end(&closing);
            seat.put(Work::Close { connection: connection.id.key(), closing });
            return None;
        }
    };
    let socket = stream.io.into_inner().into_inner().into_inner().into_inner();
    // A copy, which is mostly of nothing: the library's own buffer has room for a head.
    let read = Bytes::copy_from_slice(&stream.read_buf);
    let socket = Socket::accepted(socket, read, &seat.class.environment.settings);
    Some(Box::new(Session::new(socket, connection, seat, Some(visitor))))
}

async fn ask(seat: &Seat, asked: &Arc<Asked>) -> Result<Acceptance, Reject> {
    let (answer, answered) = oneshot::channel();
    seat.put(Work::Connect { request: Arc::clone(asked), answer });
    // The calls before this one in the mailbox have their limits; this is one for the mailbox as a whole.
    let patience = seat.class.environment.settings.handshake_timeout + seat.class.call_time();
    match tokio::time::timeout(patience, answered).await {
        Ok(Ok(Ok(acceptance))) => Ok(acceptance),
        Ok(Ok(Err(NotAccepted::Refused(refusal)))) => Err(Reject::Refused(refusal)),
        Ok(Ok(Err(NotAccepted::NoRoom))) | Err(_) => Err(Reject::Busy),
        Ok(Ok(Err(NotAccepted::Stopping))) => Err(Reject::Stopping),
        Ok(Ok(Err(NotAccepted::Failed)) | Err(_)) => Err(Reject::Failed("the controller failed in connect".into())),
    }
}

fn asked(
    request: &Request<Incoming>,
    subprotocols: Vec<String>,
    params: Vec<(String, String)>,
    client: &Client,
) -> Asked {
    let headers = request.headers();
    Asked {
        peer: Peer::Client,
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().map(str::to_owned),
        params,
        headers: headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect(),
        remote: Some(client.visitor.address()),
        subprotocols,
    }
}

/// The 101, with what the controller adds to it.
fn switching(accept_key: &str, asked: &Asked, accepted: Acceptance) -> Result<Response<Body>, Reject> {
    let mut response = Response::new(Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    let failed = |wrong: String| Reject::Failed(format!("connect accepted with {wrong}"));
    let own = |name: HeaderName, value: &str| {
        let value = HeaderValue::from_str(value).map_err(|_| failed(format!("{name} {:?}", cut(value, 64))))?;
        Ok((name, value))
    };
    let (name, value) = own(header::SEC_WEBSOCKET_ACCEPT, accept_key)?;
    headers.insert(name, value);
    if let Some(subprotocol) = accepted.subprotocol {
        if !asked.subprotocols.contains(&subprotocol) {
            return Err(failed(format!("subprotocol {:?}, which the client did not offer", cut(&subprotocol, 64))));
        }
        let (name, value) = own(header::SEC_WEBSOCKET_PROTOCOL, &subprotocol)?;
        headers.insert(name, value);
    }
    handshake::check_fields(&accepted.headers).map_err(failed)?;
    for (name, value) in &accepted.headers {
        let (name, value) = handshake::header(name, value).map_err(|wrong| failed(format!("a bad header: {wrong}")))?;
        if handshake::is_own(&name) {
            return Err(failed(format!("the header {name}, which is the host's to set")));
        }
        headers.append(name, value);
    }
    Ok(response)
}
