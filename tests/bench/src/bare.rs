//! The bare server that Lakou is measured against: tokio-tungstenite and nothing else.
//!
//! `bare echo` answers each message with itself; `bare relay` hands it to every other connection over a queue each; `bare http`
//! answers plain requests with hyper.
//! It is meant to be a good one: it takes all that is readable, writes all that is queued, then flushes once, because a
//! flush a message costs several times more. Its settings are those of the host, or the ratio would compare settings.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use mimalloc::MiMalloc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_async_with_config};

/// The host's allocator, for the same reason as its other settings.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// What the host reads at once. tungstenite's default of 128 KiB, which it allocates up front and fills with zeros, is
/// several times slower and fifteen times larger.
const READ_BUFFER: usize = 4 * 1024;

/// Whom a message reaches. The queues have no bound: the load generator has one message on its way at a time.
#[derive(Clone, Default)]
struct Room(Arc<Mutex<HashMap<usize, UnboundedSender<Message>>>>);

impl Room {
    fn enter(&self, id: usize) -> UnboundedReceiver<Message> {
        let (sender, queue) = unbounded_channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, sender);
        queue
    }

    fn relay(&self, from: usize, message: &Message) {
        for (id, queue) in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            if *id != from {
                // A receiver that has just left is no loss.
                let _ = queue.send(message.clone());
            }
        }
    }

    fn leave(&self, id: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let mode = std::env::args().nth(1);
    let room = match mode.as_deref() {
        Some("echo" | "http") => None,
        Some("relay") => Some(Room::default()),
        _ => return Err(io::Error::other("usage: bare echo|relay|http")),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    for id in 0.. {
        let (stream, _) = listener.accept().await?;
        if mode.as_deref() == Some("http") {
            tokio::spawn(answer(stream));
            continue;
        }
        tokio::spawn(serve(stream, id, room.clone()));
    }
    Ok(())
}

/// Plain HTTP: what the bench's message says, to any request.
async fn answer(stream: TcpStream) -> Result<(), hyper::Error> {
    // Without it answers are late, which the load generator would see.
    let _ = stream.set_nodelay(true);
    let answer = |_: Request<Incoming>| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(&[b'x'; 128]))))
    };
    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)).await
}

/// An error ends its connection and nothing else; the load generator reports it from its end.
async fn serve(stream: TcpStream, id: usize, room: Option<Room>) -> Result<(), Error> {
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
    let mut socket = accept_async_with_config(stream, Some(config)).await?;
    match room {
        None => poll_fn(|context| echo(&mut socket, context)).await,
        Some(room) => {
            let mut queue = room.enter(id);
            let ended = poll_fn(|context| {
                while let Poll::Ready(Some(message)) = queue.poll_recv(context) {
                    ready!(socket.poll_ready_unpin(context))?;
                    socket.start_send_unpin(message)?;
                }
                take_readable(&mut socket, context, |_, message| {
                    room.relay(id, &message);
                    Ok(())
                })
            })
            .await;
            room.leave(id);
            ended
        }
    }
}

fn echo(socket: &mut WebSocketStream<TcpStream>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
    ready!(socket.poll_ready_unpin(context))?;
    take_readable(socket, context, |socket, message| socket.start_send_unpin(message))
}

/// Hands on each message that is there, then flushes what was queued meanwhile; ready when the connection has ended.
fn take_readable(
    socket: &mut WebSocketStream<TcpStream>,
    context: &mut Context<'_>,
    mut take: impl FnMut(&mut WebSocketStream<TcpStream>, Message) -> Result<(), Error>,
) -> Poll<Result<(), Error>> {
    loop {
        match socket.poll_next_unpin(context)? {
            Poll::Ready(Some(message)) if message.is_text() || message.is_binary() => take(socket, message)?,
            // tungstenite answers pings and closes itself.
            Poll::Ready(Some(_)) => {}
            Poll::Ready(None) => return Poll::Ready(Ok(())),
            Poll::Pending => break,
        }
    }
    ready!(socket.poll_flush_unpin(context))?;
    Poll::Pending
}
