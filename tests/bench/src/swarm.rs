//! Many clients on one thread: epoll says who has something to read, level-triggered, one read each.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

use crate::client::{Client, PATIENCE};
use crate::frame;

/// Clients that one wait reports at most; more of them are simply ready at the next one.
const READY_AT_ONCE: usize = 256;

/// Bytes read from a client at once; everything that is in flight for it fits many times over.
const READ_BUFFER: usize = 64 * 1024;

pub(crate) struct Swarm {
    address: SocketAddr,
    clients: Vec<Client>,
    epoll: OwnedFd,
    ready: Vec<Event>,
    buffer: Vec<u8>,
    /// Who has got the message of `expect_one_each`; kept for its memory.
    heard: Vec<bool>,
}

impl Swarm {
    pub(crate) fn new(address: SocketAddr) -> io::Result<Swarm> {
        Ok(Swarm {
            address,
            clients: Vec::new(),
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            ready: Vec::with_capacity(READY_AT_ONCE),
            buffer: vec![0; READ_BUFFER],
            heard: Vec::new(),
        })
    }

    /// Adds `count` clients; they are numbered in the order of joining, from 0.
    pub(crate) fn join(&mut self, path: &str, count: usize) -> io::Result<()> {
        (0..count).try_for_each(|_| self.add(Client::connect(self.address, path)?))
    }

    /// Adds `count` clients of plain HTTP.
    pub(crate) fn join_plain(&mut self, count: usize) -> io::Result<()> {
        (0..count).try_for_each(|_| self.add(Client::plain(self.address)?))
    }

    fn add(&mut self, client: Client) -> io::Result<()> {
        let number = EventData::new_u64(self.clients.len() as u64);
        epoll::add(&self.epoll, client.stream(), number, EventFlags::IN)?;
        self.clients.push(client);
        Ok(())
    }

    pub(crate) fn client(&self, number: usize) -> &Client {
        &self.clients[number]
    }

    /// Sends `frames` from every client.
    pub(crate) fn send(&self, frames: &[u8]) -> io::Result<()> {
        self.clients.iter().try_for_each(|client| client.send(frames))
    }

    /// Has one client send a frame, and waits for what it is answered with: what was sent, in a frame of the server's.
    pub(crate) fn exchange(&mut self, number: usize, frame: &[u8], echo: &[u8]) -> io::Result<()> {
        self.clients[number].exchange(frame, echo)
    }

    /// Waits until somebody has something to read, at most `longest`, and reads once from each who has:
    /// `heard(number, client, messages)` for those who got messages.
    pub(crate) fn turn(
        &mut self,
        longest: Duration,
        mut heard: impl FnMut(usize, &Client, usize) -> io::Result<()>,
    ) -> io::Result<()> {
        self.ready.clear();
        // Asks again and again instead of sleeping: waking a sleeper is work of the waker, and would be counted as the
        // server's.
        let end = Instant::now() + longest;
        while self.ready.is_empty() && Instant::now() < end {
            epoll::wait(&self.epoll, spare_capacity(&mut self.ready), Some(&Timespec::default()))?;
        }
        for event in &self.ready {
            // Copied out because the struct is packed; a number that this swarm gave fits.
            let data = event.data;
            let number = usize::try_from(data.u64()).map_err(io::Error::other)?;
            let client = &mut self.clients[number];
            let messages = client.receive(&mut self.buffer)?;
            if messages > 0 {
                heard(number, client, messages)?;
            }
        }
        Ok(())
    }

    /// Reads until `messages` have arrived in all; an error if the last of them does not arrive in time.
    pub(crate) fn expect(&mut self, messages: usize) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let mut left = messages;
        while left > 0 {
            if Instant::now() > deadline {
                return Err(io::Error::other(format!("{left} of {messages} messages did not arrive")));
            }
            self.turn(PATIENCE, |_, _, count| {
                left = left.checked_sub(count).ok_or_else(|| io::Error::other("more messages than were sent"))?;
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Reads until each of the first `count` clients has got exactly one message, and nobody else has.
    pub(crate) fn expect_one_each(&mut self, count: usize) -> io::Result<()> {
        self.heard.clear();
        self.heard.resize(count, false);
        let deadline = Instant::now() + PATIENCE;
        let mut heard = std::mem::take(&mut self.heard);
        let mut left = count;
        while left > 0 {
            if Instant::now() > deadline {
                return Err(io::Error::other(format!("{left} of {count} clients did not get the message")));
            }
            self.turn(PATIENCE, |number, _, messages| match heard.get_mut(number) {
                Some(heard @ false) if messages == 1 => {
                    (*heard, left) = (true, left - 1);
                    Ok(())
                }
                _ => Err(io::Error::other("a client got a message that was not for it, or got it twice")),
            })?;
        }
        self.heard = heard;
        Ok(())
    }

    /// Lets `time` pass with nothing to say; pings are answered, a message is an error.
    pub(crate) fn idle(&mut self, time: Duration) -> io::Result<()> {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            self.turn(left, |_, _, _| Err(io::Error::other("a message that nobody asked for")))?;
        }
        Ok(())
    }

    /// Closes every connection with 1000 and waits until the server has ended each.
    pub(crate) fn close(self) -> io::Result<()> {
        self.send(&frame::masked(frame::CLOSE, &1000_u16.to_be_bytes()))?;
        self.clients.iter().try_for_each(Client::wait_for_end)
    }
}
