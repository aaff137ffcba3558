//! One client on a plain socket, of a WebSocket or of plain HTTP: what it sends is built beforehand, a reader that compares and counts. It does as little
//! as it can, so that it is the server that is measured.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::answer;
use crate::frame::{self, PAYLOAD};

/// How long a server may leave a handshake or a close unanswered before the run is called failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// An answer to the handshake is far smaller; a server that sends more is not one of ours.
const LONGEST_HEAD: usize = 8 * 1024;

pub(crate) struct Client {
    stream: TcpStream,
    /// The start of a frame or of an answer whose end has not arrived.
    partial: Vec<u8>,
    is_websocket: bool,
}

impl Client {
    /// For plain requests, which are for the caller to send.
    pub(crate) fn plain(address: SocketAddr) -> io::Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Client { stream, partial: Vec::new(), is_websocket: false })
    }

    /// A WebSocket.
    pub(crate) fn connect(address: SocketAddr, path: &str) -> io::Result<Client> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        // The key is the RFC's example: whether a server computes the answer to it is for other tests to find out.
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        let end = loop {
            if let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            let mut bytes = [0; 512];
            let count = stream.read(&mut bytes)?;
            if count == 0 || answer.len() > LONGEST_HEAD {
                return Err(io::Error::other(format!("no answer to the handshake on {path}")));
            }
            answer.extend(&bytes[..count]);
        };
        if !answer.starts_with(b"HTTP/1.1 101 ") {
            let head = String::from_utf8_lossy(&answer[..end]);
            return Err(io::Error::other(format!("{path}: {}", head.lines().next().unwrap_or_default())));
        }
        stream.set_nonblocking(true)?;
        Ok(Client { stream, partial: answer.split_off(end), is_websocket: true })
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Sends `frames` at once. What is in flight fits the socket's buffer many times over: a server that makes this block
    /// has stopped reading, and fails the run.
    pub(crate) fn send(&self, frames: &[u8]) -> io::Result<()> {
        (&self.stream).write_all(frames).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => io::Error::other("the server has stopped reading"),
            _ => error,
        })
    }

    /// Reads once and counts the messages that became whole. Each must be the bench's message: one that was lost,
    /// doubled or changed must not pass for speed.
    pub(crate) fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let kept = self.partial.len();
        buffer[..kept].copy_from_slice(&self.partial);
        let count = match (&self.stream).read(&mut buffer[kept..]) {
            Ok(0) => return Err(io::Error::other("the server dropped a connection")),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(error) => return Err(error),
        };
        let mut rest = &buffer[..kept + count];
        let mut messages = 0;
        while !self.is_websocket
            && let Some(length) = answer::parse(rest)?
        {
            messages += 1;
            rest = &rest[length..];
        }
        while self.is_websocket
            && let Some(frame) = frame::parse(rest)?
        {
            match frame.opcode {
                frame::TEXT | frame::BINARY if frame.payload == PAYLOAD => messages += 1,
                frame::TEXT | frame::BINARY => return Err(io::Error::other("a message that is not the one sent")),
                frame::PING => self.send(&frame::masked(frame::PONG, frame.payload))?,
                frame::PONG => {}
                _ => return Err(io::Error::other(format!("the server closed a connection: {:?}", frame.payload))),
            }
            rest = &rest[frame.length..];
        }
        self.partial.clear();
        self.partial.extend_from_slice(rest);
        Ok(messages)
    }

    /// Sends one frame, whatever its size, and waits for `echo`, byte by byte; pings that come before it are answered.
    pub(crate) fn exchange(&mut self, frame: &[u8], echo: &[u8]) -> io::Result<()> {
        self.stream.set_nonblocking(false)?;
        self.stream.write_all(frame)?;
        let mut answer = std::mem::take(&mut self.partial);
        let mut bytes = vec![0; 64 * 1024];
        while answer.len() < echo.len() {
            while let [0x89, 0, ..] = answer[..] {
                self.stream.write_all(&frame::masked(frame::PONG, b""))?;
                answer.drain(..2);
            }
            let count = self.stream.read(&mut bytes)?;
            if count == 0 {
                return Err(io::Error::other("the server dropped a connection"));
            }
            answer.extend_from_slice(&bytes[..count]);
        }
        self.stream.set_nonblocking(true)?;
        if answer == echo { Ok(()) } else { Err(io::Error::other("an echo that is not what was sent")) }
    }

    /// Waits until the server has ended the connection, as it does once a close frame has gone both ways.
    pub(crate) fn wait_for_end(&self) -> io::Result<()> {
        self.stream.set_nonblocking(false)?;
        let mut bytes = [0; 512];
        while (&self.stream).read(&mut bytes)? > 0 {}
        Ok(())
    }
}
