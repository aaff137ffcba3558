//! Redis itself, over plain sockets: what any way over it has to pay.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// The size of what is sent.
const PAYLOAD: &str = "0123456789012345678901234567890123456789012345678901234567890123";

/// Both ends of a pub/sub channel.
pub(crate) struct Trip {
    publisher: Redis,
    subscriber: Redis,
}

impl Trip {
    pub(crate) fn new(redis: SocketAddr) -> io::Result<Trip> {
        let (publisher, mut subscriber) = (Redis::dial(redis)?, Redis::dial(redis)?);
        subscriber.say(&["SUBSCRIBE", "raw"])?;
        subscriber.hear()?;
        Ok(Trip { publisher, subscriber })
    }

    /// One message, there and to its receiver.
    pub(crate) fn go(&mut self) -> io::Result<Duration> {
        let began = Instant::now();
        self.publisher.say(&["PUBLISH", "raw", PAYLOAD])?;
        self.subscriber.hear()?;
        let took = began.elapsed();
        self.publisher.hear()?;
        Ok(took)
    }
}

/// One `XADD`, there and back.
pub(crate) struct Addition(Redis);

impl Addition {
    pub(crate) fn new(redis: SocketAddr) -> io::Result<Addition> {
        Ok(Addition(Redis::dial(redis)?))
    }

    pub(crate) fn go(&mut self) -> io::Result<Duration> {
        let began = Instant::now();
        self.0.say(&["XADD", "raw-stream", "MAXLEN", "~", "1000", "*", "event", PAYLOAD])?;
        self.0.hear()?;
        Ok(began.elapsed())
    }
}

/// One connection that speaks RESP2.
struct Redis {
    stream: BufReader<TcpStream>,
}

impl Redis {
    fn dial(address: SocketAddr) -> io::Result<Redis> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Redis { stream: BufReader::new(stream) })
    }

    fn say(&mut self, words: &[&str]) -> io::Result<()> {
        let mut command = format!("*{}\r\n", words.len());
        for word in words {
            command += &format!("${}\r\n{word}\r\n", word.len());
        }
        self.stream.get_mut().write_all(command.as_bytes())
    }

    /// Reads one answer, whatever it is.
    fn hear(&mut self) -> io::Result<()> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let (kind, rest) = line.trim().split_at_checked(1).ok_or(io::ErrorKind::UnexpectedEof)?;
        let number = || rest.parse::<usize>().map_err(|_| io::Error::other(format!("Redis says {rest}")));
        match kind {
            "*" => (0..number()?).try_for_each(|_| self.hear()),
            "$" => {
                let mut bytes = vec![0; number()? + 2];
                self.stream.read_exact(&mut bytes)
            }
            "-" => Err(io::Error::other(rest.to_owned())),
            _ => Ok(()),
        }
    }
}
