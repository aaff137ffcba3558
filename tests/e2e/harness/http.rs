//! HTTP/1.1 by hand, so that a test can send targets that a client library would clean up, and can watch an answer
//! arrive chunk by chunk.

use super::wait::within;
use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A request that is being written.
pub(crate) struct Ask {
    address: SocketAddr,
    head: String,
    host: String,
    body: Vec<u8>,
    bodiless: bool,
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// An exchange whose two bodies are still under way.
pub(crate) struct Exchange {
    stream: BufReader<TcpStream>,
}

impl Ask {
    pub(crate) fn new(address: SocketAddr, method: &str, target: &str) -> Self {
        Ask {
            address,
            head: format!("{method} {target} HTTP/1.1\r\n"),
            host: address.to_string(),
            body: Vec::new(),
            // The answer to HEAD has the headers of a body and no body.
            bodiless: method == "HEAD",
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        if name.eq_ignore_ascii_case("host") {
            self.host = value.to_owned();
        } else {
            self.head += &format!("{name}: {value}\r\n");
        }
        self
    }

    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        let length = self.body.len().to_string();
        self.header("content-length", &length)
    }

    /// Sends it and reads the answer to its end.
    pub(crate) async fn send(self) -> Answer {
        let bodiless = self.bodiless;
        let mut exchange = self.begin().await;
        let mut answer = exchange.head().await;
        if !bodiless {
            answer = exchange.body(answer).await;
        }
        answer
    }

    /// Sends it, without waiting for the answer.
    pub(crate) async fn begin(self) -> Exchange {
        let stream = TcpStream::connect(self.address).await.expect("the host accepts");
        let mut exchange = Exchange { stream: BufReader::new(stream) };
        exchange.write(format!("{}host: {}\r\n\r\n", self.head, self.host)).await;
        exchange.write(self.body).await;
        exchange
    }

    /// As [`send`](Self::send), on a connection that nothing more is asked on.
    pub(crate) async fn get(self) -> Answer {
        self.header("connection", "close").send().await
    }
}

impl Exchange {
    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let writing = self.stream.get_mut().write_all(bytes.as_ref());
        within("the host reads", writing).await.expect("the host has not hung up");
    }

    /// Writes a piece of a chunked request body.
    pub(crate) async fn write_chunk(&mut self, chunk: &str) {
        self.write(format!("{:x}\r\n{chunk}\r\n", chunk.len())).await;
    }

    /// As [`write_chunk`](Self::write_chunk), although the host may hang up meanwhile.
    pub(crate) async fn try_write_chunk(&mut self, chunk: &str) -> std::io::Result<()> {
        self.stream.get_mut().write_all(format!("{:x}\r\n{chunk}\r\n", chunk.len()).as_bytes()).await
    }

    /// Waits until the host has ended the connection, with nothing more said.
    pub(crate) async fn expect_end(&mut self) {
        let mut rest = Vec::new();
        let ending = self.stream.read_to_end(&mut rest);
        // A reset is an end too.
        let _ = within("the end of the connection", ending).await;
        assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    }

    /// Reads status and headers only.
    pub(crate) async fn head(&mut self) -> Answer {
        let status_line = self.line().await;
        let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.unwrap_or_else(|| panic!("not a status line: {status_line:?}"));
        let mut headers = Vec::new();
        loop {
            let line = self.line().await;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Answer { status, headers, body: Vec::new() }
    }

    /// Reads one chunk of a chunked answer; none at its end.
    pub(crate) async fn chunk(&mut self) -> Option<Vec<u8>> {
        let line = self.line().await;
        let length = usize::from_str_radix(line.trim(), 16).unwrap_or_else(|_| panic!("not a chunk: {line:?}"));
        let mut chunk = self.exactly(length + 2).await;
        chunk.truncate(length);
        (length > 0).then_some(chunk)
    }

    /// Reads what follows `answer`'s head to its end.
    pub(crate) async fn body(&mut self, mut answer: Answer) -> Answer {
        if answer.status == 304 || answer.status == 204 {
            return answer;
        }
        if answer.header("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = self.chunk().await {
                answer.body.extend(chunk);
            }
        } else if let Some(length) = answer.header("content-length") {
            let length = length.parse().expect("a length is a number");
            answer.body = self.exactly(length).await;
        } else {
            self.stream.read_to_end(&mut answer.body).await.expect("an answer that ends with its connection");
        }
        answer
    }

    async fn line(&mut self) -> String {
        let mut line = Vec::new();
        let reading = self.stream.read_until(b'\n', &mut line);
        within("a line of an HTTP answer", reading).await.expect("an answer");
        assert!(!line.is_empty(), "the host hung up instead of answering");
        String::from_utf8_lossy(&line).trim_end().to_owned()
    }

    async fn exactly(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let reading = self.stream.read_exact(&mut bytes);
        within("a body", reading).await.expect("a body as long as announced");
        bytes
    }
}

impl Answer {
    /// The value of the first header of that name, which is given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {:?}", self.text()))
    }
}
