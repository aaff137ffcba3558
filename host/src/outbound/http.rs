//! One HTTP/1.1 request over a connection of its own, and its answer, each wait of it bounded.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, Sleep};

use super::Line;
use crate::destination::Target;

/// The longest head of an answer, and how much of its body is held while nobody takes it. The library reads in pieces, and may
/// take a head for whole that is a piece longer: so it is measured once more.
const BUFFER: usize = 64 * 1024;

/// The most header fields of an answer.
const FIELDS: usize = 128;

/// An answer whose body is still to come, and what moves it: without it being polled the body stands still.
pub(crate) struct Answer<D> {
    pub(crate) response: Response<Timely>,
    pub(crate) driver: D,
}

/// Why there is no answer, or no more of one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("no answer in time")]
    Late,
    #[error("the head of the answer is too long")]
    LongHead,
    #[error(transparent)]
    Http(hyper::Error),
}

impl From<hyper::Error> for Broken {
    fn from(error: hyper::Error) -> Self {
        if error.is_parse_too_large() { Broken::LongHead } else { Broken::Http(error) }
    }
}

/// Sends a request whose URI is absolute.
///
/// # Cancel safety
///
/// Dropped half-way, the connection is closed.
pub(crate) async fn exchange<B>(
    line: Line,
    target: &Target,
    mut request: Request<B>,
    first_byte: Duration,
    between_bytes: Duration,
) -> Result<Answer<impl Future<Output = ()> + Send + use<B>>, Broken>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let mut builder = http1::Builder::new();
    builder.max_buf_size(BUFFER).max_headers(FIELDS);
    let (mut sender, connection) = builder.handshake::<_, B>(TokioIo::new(line)).await?;
    let mut connection = Some(Box::pin(connection));
    // A server is asked by the path; where it is stands in `host`, spelled as it was judged.
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let path = Uri::try_from(path).unwrap_or_else(|_| Uri::from_static("/"));
    if let Ok(host) = HeaderValue::try_from(target.authority()) {
        request.headers_mut().insert(HOST, host);
    }
    *request.uri_mut() = path;
    let response = {
        let mut sending = pin!(tokio::time::timeout(first_byte, sender.send_request(request)));
        let answered = tokio::select! {
            answered = &mut sending => answered,
            ended = async { if let Some(connection) = &mut connection { connection.await } else { Ok(()) } } => {
                connection = None;
                ended?;
                sending.await
            }
        };
        answered.map_err(|_elapsed| Broken::Late)??
    };
    let head: usize = response.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if head > BUFFER {
        return Err(Broken::LongHead);
    }
    let driver = async move {
        if let Some(connection) = connection {
            // Whoever reads the body learns that it has broken off.
            let _ = connection.await;
        }
    };
    let response = response.map(|body| Timely { body, patience: between_bytes, timer: None });
    Ok(Answer { response, driver })
}

/// A body that is an error if its next piece is too long in coming while somebody waits for it.
pub(crate) struct Timely {
    body: Incoming,
    patience: Duration,
    /// Runs while somebody waits.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Body for Timely {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.timer = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Broken::from)));
        }
        let end = Instant::now() + self.patience;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
        timer.as_mut().poll(context).map(|()| Some(Err(Broken::Late)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
