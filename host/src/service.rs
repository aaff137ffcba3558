//! Services: controllers that have an object on each server without a client. What a session is to a connection, a service's
//! task is to that object: it has it made, waits for its end, and has it made anew after a failure.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::closing::Closing;
use crate::connection::Connection;
use crate::controller::Class;
use crate::ids::ConnectionId;
use crate::mailbox::Work;
use crate::request::Request;

/// Runs the service of `class` until the server stops, or until it closes itself.
pub(crate) async fn run(class: Arc<Class>, mut stopping: watch::Receiver<bool>) {
    let environment = Arc::clone(&class.environment);
    let _alive = environment.alive.clone();
    let id = ConnectionId::random(environment.server);
    let mut backoff = Backoff::between_lives();
    let mut seat = class.own_seat();
    let mut saved = None;
    loop {
        if environment.is_stopping() {
            return;
        }
        let connection = Arc::new(Connection::to_nobody(id).with_topics(class.topics_limit()));
        if let Some(state) = saved.take() {
            connection.save(state);
        }
        if seat.is_over() {
            seat = class.own_seat();
        }
        let began = Instant::now();
        seat.put(Work::Open { connection: Arc::clone(&connection), request: Arc::new(Request::of_nobody()) });
        environment.metrics.services.count();
        let closing = connection.closes().await;
        connection.end(&closing);
        environment.metrics.services.uncount();
        seat.put(Work::Close { connection: id.key(), closing: closing.clone() });
        let Closing { code, reason, .. } = closing;
        if connection.let_go.load(Ordering::Acquire) {
            tracing::info!(controller = %class.name, code, reason, "the service has ended");
            return;
        }
        if environment.is_stopping() {
            return;
        }
        backoff.lived(began);
        saved = connection.saved();
        tracing::warn!(controller = %class.name, code, reason, "the service has failed, and is made anew");
        tokio::select! {
            () = backoff.pause() => environment.metrics.services_restarted.count(),
            // It changes once, from running to stopping.
            _ = stopping.changed() => return,
        }
    }
}
