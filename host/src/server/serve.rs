//! The HTTP connection of one client, until it leaves, becomes a WebSocket, or the server stops. How the library ended it is
//! read here, so that what a client did is counted.

use std::convert::Infallible;
use std::error::Error;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::accept::Door;
use crate::clients::Limit;
use crate::http::Client;
use crate::linger::Lingering;
use crate::patience::Patient;
use crate::phase::{Phase, PhaseTimeout, Phases, Watched};
use crate::tied::Tied;

/// Serves the requests of one client.
pub(super) async fn serve(stream: TcpStream, client: Client, mut door: Door) {
    // Small messages must not wait for the acknowledgement of earlier ones.
    let _ = stream.set_nodelay(true);
    let visitor = client.visitor.clone();
    let settings = door.clients.settings();
    let phases = Phases::default();
    let stream = Watched::new(Patient::new(Lingering::new(stream), settings.idle_timeout), &phases);
    let service = Arc::clone(&door.service);
    let mut timeout = PhaseTimeout::new(&phases, settings.handshake_timeout, settings.keep_alive_timeout);
    let respond = service_fn(move |request: Request<Incoming>| {
        let (service, client, answering) = (Arc::clone(&service), client.clone(), phases.request());
        async move {
            let response = service.respond(request, client).await;
            // The request is over when its answer is.
            Ok::<_, Infallible>(response.map(|body| Tied::new(body, answering)))
        }
    });
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        // Who has said all it will may still wait for the answer. One that is gone is noticed when it is written to.
        .half_close(true)
        .max_buf_size(settings.max_header)
        .serve_connection(TokioIo::new(stream), respond)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let mut stopping = false;
    let served = loop {
        let step = poll_fn(|context| match connection.as_mut().poll(context) {
            Poll::Ready(served) => Poll::Ready(Step::Served(served)),
            Poll::Pending => timeout.poll(context).map(Step::Passed),
        });
        let step = tokio::select! {
            step = step => step,
            _ = door.stopping.changed(), if !stopping => Step::Stopping,
        };
        match step {
            Step::Served(served) => break served,
            // What is dropped here is cut off.
            Step::Passed(Phase::Head) => return visitor.met(Limit::HandshakeTimeout),
            Step::Passed(Phase::Idle | Phase::Request) => {
                connection.as_mut().graceful_shutdown();
                break connection.await;
            }
            Step::Stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a client's HTTP connection ended");
        if let Some(limit) = met(&error) {
            visitor.met(limit);
        }
    }
}

/// What is next on an HTTP connection.
enum Step {
    /// It has ended.
    Served(hyper::Result<()>),
    /// A phase has lasted too long.
    Passed(Phase),
    /// The server stops.
    Stopping,
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
    } else if error.source().and_then(|cause| cause.downcast_ref()).is_some_and(timed_out) {
        Some(Limit::AnswerTimeout)
    } else {
        None
    }
}
