//! The HTTP connection of one client, until it leaves, becomes a WebSocket, or the server stops. How the library ended it is
//! read here, so that what a client did is counted.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::accept::Door;
use crate::clients::Limit;
use crate::http::Client;
use crate::linger::Lingering;
use crate::patience::Patient;

/// Serves the requests of one client.
pub(super) async fn serve(stream: TcpStream, client: Client, mut door: Door) {
    // Small messages must not wait for the acknowledgement of earlier ones.
    let _ = stream.set_nodelay(true);
    let visitor = client.visitor.clone();
    let settings = door.clients.settings();
    let stream = Patient::new(Lingering::new(stream), settings.idle_timeout);
    let service = Arc::clone(&door.service);
    let respond = service_fn(move |request: Request<Incoming>| {
        let (service, client) = (Arc::clone(&service), client.clone());
        async move { Ok::<_, Infallible>(service.respond(request, client).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.handshake_timeout)
        .max_buf_size(settings.max_header)
        .serve_connection(TokioIo::new(stream), respond)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        _ = door.stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a client's HTTP connection ended");
        if let Some(limit) = met(&error) {
            visitor.met(limit);
        }
    }
}

/// Which limit an HTTP connection ended by, if it was one.
fn met(error: &hyper::Error) -> Option<Limit> {
    let timed_out = |cause: &std::io::Error| cause.kind() == std::io::ErrorKind::TimedOut;
    if error.is_parse_too_large() {
        Some(Limit::Header)
    } else if error.is_parse_version_h2() {
        Some(Limit::Http2)
    } else if error.is_parse() {
        Some(Limit::Http)
    } else if error.is_timeout() {
        Some(Limit::HandshakeTimeout)
    } else if error.source().and_then(|cause| cause.downcast_ref()).is_some_and(timed_out) {
        Some(Limit::AnswerTimeout)
    } else {
        None
    }
}
