//! Connections that controllers open to servers elsewhere: dialled, agreed upon, and from then on a session like any other.
//! Where a controller may go is judged in `outbound`; how it asks, and how often at a time, in `controller`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::Instrument;

use crate::backoff::Backoff;
use crate::closing::{CloseCause, Closing};
use crate::connection::Connection;
use crate::controller::{Dial, NotConnected, Seat};
use crate::mailbox::Work;
use crate::outbound::{Line, NotOpen};
use crate::request::{Peer, Request};
use crate::session::{NotAgreed, Session, Socket, shake_hands};

/// What the guest learns of an address that it may not reach. Where the name leads is none of its business.
const PROHIBITED: &str = "the address of this server is not granted, see the host's log";

/// Opens what controllers ask for, until the last of them is gone.
pub(crate) async fn serve(mut asked: mpsc::UnboundedReceiver<Dial>) {
    while let Some(dial) = asked.recv().await {
        let span = tracing::debug_span!("outward", id = %dial.place.id, controller = %dial.place.class.name, to = %dial.target);
        // Each ends with its owner, and is awaited through `alive`.
        #[expect(
            clippy::disallowed_methods,
            reason = "it ends with the connection that it serves, and is awaited through `alive`"
        )]
        tokio::spawn(run(dial).instrument(span));
    }
}

async fn run(mut dial: Dial) {
    let environment = Arc::clone(&dial.place.class.environment);
    let _alive = environment.alive.clone();
    let mut backoff = Backoff::between_lives();
    let mut seat = dial.place.class.own_seat();
    let again = dial.answer.is_none();
    loop {
        let opened = tokio::select! {
            biased;
            () = unwanted(&dial) => return,
            opened = open(&dial) => opened,
        };
        match opened {
            Ok((socket, request)) => {
                environment.metrics.outward_opened.count();
                if seat.is_over() {
                    seat = dial.place.class.own_seat();
                }
                let began = Instant::now();
                let let_go = live(&mut dial, socket, request, seat.again()).await;
                if let_go || environment.is_stopping() {
                    return;
                }
                backoff.lived(began);
            }
            Err(why) => {
                if let Some(answer) = dial.answer.take() {
                    // Nobody waits for it any more if the call has failed.
                    let _ = answer.send(Err(why));
                }
            }
        }
        if !again {
            return;
        }
        tokio::select! {
            biased;
            () = unwanted(&dial) => return,
            () = backoff.pause() => {}
        }
    }
}

/// Resolves when there is no use for the connection any more: its owner has ended, or it is not wanted.
async fn unwanted(dial: &Dial) {
    tokio::select! {
        () = dial.owner.ended() => {}
        () = dial.place.released() => {}
    }
}

/// One life of the connection, from its handshake to its end. True: it was meant to end.
async fn live(dial: &mut Dial, socket: Socket<Line>, request: Request, seat: Seat) -> bool {
    let id = dial.place.id;
    let connection = Connection::new(id, seat.class.outbox_limit()).with_topics(seat.class.topics_limit());
    let connection = Arc::new(connection);
    // Before anybody knows of it, so that whatever is sent to it from then on reaches the object.
    seat.announce(id);
    seat.put(Work::Open { connection: Arc::clone(&connection), request: Arc::new(request) });
    if let Some(answer) = dial.answer.take()
        && answer.send(Ok(())).is_err()
    {
        connection.close(Closing::of(CloseCause::Unwanted));
    }
    let session = Box::new(Session::new(socket, Arc::clone(&connection), seat, None)).run();
    let mut session = std::pin::pin!(session);
    tokio::select! {
        biased;
        () = session.as_mut() => {}
        () = dial.owner.ended() => {
            connection.close(Closing::of(CloseCause::OwnerGone));
            session.await;
            return true;
        }
        () = dial.place.released() => {
            connection.close(Closing::of(CloseCause::Unwanted));
            session.await;
            return true;
        }
    }
    connection.let_go.load(Ordering::Acquire)
}

/// Dials and shakes hands; what fails is counted and logged.
async fn open(dial: &Dial) -> Result<(Socket<Line>, Request), NotConnected> {
    let class = &dial.place.class;
    let settings = &class.environment.settings;
    // Who waits is to learn of the failure, and not to be one: half of a call is left for it.
    let patience = match dial.answer {
        Some(_) => settings.handshake_timeout.min(class.call_time() / 2),
        None => settings.handshake_timeout,
    };
    let agreeing = async {
        let line = dial.outbound.open(&dial.target, patience).await.map_err(Failed::Open)?;
        shake_hands(line, &dial.target, &dial.request, &dial.subprotocols, settings).await.map_err(Failed::Agree)
    };
    let agreed = tokio::time::timeout(patience, agreeing).await;
    let (socket, headers) = agreed.unwrap_or(Err(Failed::Open(NotOpen::Late(patience)))).map_err(|failed| {
        class.not_connected(&dial.target, &failed.to_string());
        match failed {
            Failed::Open(NotOpen::Prohibited { .. } | NotOpen::NotGranted(_)) => {
                class.environment.metrics.outgoing_prohibited.count();
                class.environment.metrics.denied.count();
                NotConnected::Denied(PROHIBITED.to_owned())
            }
            other => NotConnected::Unavailable(other.to_string()),
        }
    })?;
    let chosen = headers.get(SEC_WEBSOCKET_PROTOCOL).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let request = Request {
        peer: Peer::Server,
        method: dial.request.method().to_string(),
        path: dial.request.uri().path().to_owned(),
        query: dial.request.uri().query().map(str::to_owned),
        params: dial.params.clone(),
        headers: headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect(),
        remote: None,
        subprotocols: chosen.into_iter().collect(),
    };
    Ok((socket, request))
}

/// Why an attempt failed.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Open(NotOpen),
    #[error(transparent)]
    Agree(NotAgreed),
}
