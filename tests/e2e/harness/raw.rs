//! A client that writes its bytes by hand: the hostile ones are made of it.

use super::frames::{self, CLOSE, Frame, Heard, PING};
use super::wait::within;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// The example key of RFC 6455, section 1.3, and the answer to it.
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A TCP connection to the host and what was read from it but not yet asked for.
pub(crate) struct RawClient {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl From<TcpStream> for RawClient {
    fn from(stream: TcpStream) -> Self {
        RawClient { stream, buffer: Vec::new() }
    }
}

impl RawClient {
    pub(crate) async fn dial(address: SocketAddr) -> Self {
        let stream = within("the host accepts", TcpStream::connect(address)).await.expect("the host accepts");
        stream.set_nodelay(true).expect("an open socket");
        RawClient::from(stream)
    }

    /// As [`dial`](Self::dial), with this machine's address `source`.
    pub(crate) async fn dial_from(source: IpAddr, address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("sockets can be made");
        socket.bind(SocketAddr::new(source, 0)).expect("an address of this machine");
        let stream = within("the host accepts", socket.connect(address)).await.expect("the host accepts");
        stream.set_nodelay(true).expect("an open socket");
        RawClient::from(stream)
    }

    /// Does the handshake, which must succeed, and gives its answer's head.
    pub(crate) async fn upgrade(&mut self, path: &str) -> String {
        self.upgrade_with(path, "").await
    }

    /// As [`upgrade`](Self::upgrade), with more header lines, each ended by CRLF.
    pub(crate) async fn upgrade_with(&mut self, path: &str, headers: &str) -> String {
        self.write(handshake(path, headers)).await;
        let head = self.head().await;
        assert!(head.starts_with("HTTP/1.1 101 "), "upgraded: {head}");
        assert!(head.contains(ACCEPT), "the answer to the key: {head}");
        head
    }

    /// Writes; the host must still be reading.
    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_write(bytes).await.expect("the host has not hung up");
    }

    /// Writes, although the host may hang up meanwhile.
    pub(crate) async fn try_write(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        within("the host reads", self.stream.write_all(bytes.as_ref())).await
    }

    pub(crate) async fn send(&mut self, frame: Frame) {
        self.write(frame.bytes()).await;
    }

    /// Writes until the host takes no more for now: its own socket buffer and this one's are full.
    pub(crate) fn stuff(&mut self, bytes: &[u8]) {
        while self.stream.try_write(bytes).is_ok() {}
    }

    /// Writes `bytes` again and again, until the host has taken nothing for a while or `most` bytes in all; gives how many
    /// it took, this side's buffers included.
    pub(crate) async fn stuff_at_most(&mut self, bytes: &[u8], most: usize) -> usize {
        let mut taken = 0;
        while taken < most {
            let writing = self.stream.write(&bytes[taken % bytes.len()..]);
            match tokio::time::timeout(Duration::from_millis(500), writing).await {
                Ok(written) => taken += written.expect("the host has not hung up"),
                Err(_quiet) => break,
            }
        }
        taken
    }

    /// Writes `bytes` again and again until the host has hung up, on a thread of its own, which never lets the host's queue
    /// run empty.
    pub(crate) fn flood(self, bytes: Vec<u8>) -> JoinHandle<()> {
        let mut stream = self.stream.into_std().expect("an open socket");
        stream.set_nonblocking(false).expect("an open socket");
        std::thread::spawn(move || while stream.write_all(&bytes).is_ok() {})
    }

    /// Reads the head of an HTTP answer, with the empty line that ends it.
    pub(crate) async fn head(&mut self) -> String {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = self.buffer.drain(..end + 4).collect();
                return String::from_utf8(head).expect("a head is text");
            }
            assert!(self.fill().await, "the host hung up: {:?}", String::from_utf8_lossy(&self.buffer));
        }
    }

    /// The next frame that is no ping; none if the connection ended.
    pub(crate) async fn hear(&mut self) -> Option<Heard> {
        loop {
            match frames::take(&mut self.buffer) {
                Some(frame) if frame.opcode == PING => {}
                Some(frame) => return Some(frame),
                None if self.fill().await => {}
                None => return None,
            }
        }
    }

    /// Expects a frame.
    pub(crate) async fn expect(&mut self, opcode: u8, payload: impl AsRef<[u8]>) {
        let heard = self.hear().await.expect("a frame, not the end");
        assert_eq!((heard.opcode, heard.payload.as_slice()), (opcode, payload.as_ref()));
    }

    /// Expects to be closed with `code`, and gives the reason.
    pub(crate) async fn expect_close(&mut self, code: u16) -> String {
        let (heard, reason) = self.closed().await.unwrap_or_else(|| panic!("no close frame, not one with {code}"));
        assert_eq!(heard, code, "close code, with reason {reason:?}");
        reason
    }

    /// Skips what comes before a close frame, answers it, waits for the end, and gives code and reason; none if the
    /// connection ends without one.
    pub(crate) async fn closed(&mut self) -> Option<(u16, String)> {
        loop {
            let heard = self.hear().await?;
            if heard.opcode == CLOSE {
                let code = heard.payload.get(..2).map_or(1005, |two| u16::from_be_bytes([two[0], two[1]]));
                let reason = String::from_utf8_lossy(heard.payload.get(2..).unwrap_or_default()).into_owned();
                // The host may have hung up already.
                let _ = self.try_write(Frame::new(CLOSE, frames::closing(code, "")).bytes()).await;
                self.expect_end().await;
                return Some((code, reason));
            }
        }
    }

    /// Waits until the host has ended the connection, and gives what came before.
    pub(crate) async fn expect_end(&mut self) -> Vec<u8> {
        while self.fill().await {}
        std::mem::take(&mut self.buffer)
    }

    /// As [`expect_end`](Self::expect_end), and a reset, which may take from this side what it has not read yet, is none.
    pub(crate) async fn expect_clean_end(&mut self) -> Vec<u8> {
        let reading = self.stream.read_to_end(&mut self.buffer);
        within("the host to hang up", reading).await.expect("no reset");
        std::mem::take(&mut self.buffer)
    }

    /// Ends this side only: the host reads the end and may still write.
    pub(crate) async fn finish(&mut self) {
        self.stream.shutdown().await.expect("an open socket");
    }

    /// Ends the connection by a reset, as a host that crashes or a firewall does.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().expect("an open socket");
    }

    /// Reads once; false at the end. A reset is an end too.
    async fn fill(&mut self) -> bool {
        let reading = self.stream.read_buf(&mut self.buffer);
        within("the host to write or to hang up", reading).await.is_ok_and(|count| count > 0)
    }
}

/// The bytes of a right handshake.
pub(crate) fn handshake(path: &str, headers: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: lakou.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{headers}\r\n"
    )
}
