//! Everything fails at random moments while notifications are under way: servers, clients, Redis. What was said to be stored
//! arrives at least once and in order, and what comes twice comes under the same id.

use crate::harness::binary::{Binary, Call};
use crate::harness::folder::Folder;
use crate::harness::ports::free_address;
use crate::harness::random::Random;
use crate::harness::redis::RedisServer;
use crate::harness::wait::{BOUND, until, within_bound};
use futures_util::{SinkExt, StreamExt};
use rustix::process::Signal;
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

/// A masked close frame without a code (RFC 6455, section 5.5.1). It is written past tungstenite, which reads nothing more
/// once it could not write its own: what a server has sent before it was killed would be lost here, not there.
const CLOSE: [u8; 6] = [0x88, 0x80, 0, 0, 0, 0];

/// How much is sent, and how often something is killed.
struct Scale {
    identities: usize,
    notifications: u32,
    kills: usize,
}

/// A few seconds' worth, unless `LAKOU_CHAOS=full` asks for the whole of it.
fn scale() -> Scale {
    match std::env::var("LAKOU_CHAOS").as_deref() {
        Ok("full") => Scale { identities: 200, notifications: 20_000, kills: 10 },
        _ => Scale { identities: 30, notifications: 2_400, kills: 6 },
    }
}

/// A server that is killed and started again, at the same address.
struct Mortal {
    address: SocketAddr,
    arguments: Vec<String>,
    process: RefCell<Option<Binary>>,
}

impl Mortal {
    async fn new(arguments: &[&str]) -> Self {
        let address = free_address();
        let mut arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
        arguments.extend(["--listen".to_owned(), address.to_string()]);
        let mortal = Mortal { address, arguments, process: RefCell::new(None) };
        mortal.start().await;
        mortal
    }

    async fn start(&self) {
        let words: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let (binary, _) = Call::serve().guests(&["postbox"]).args(&words).listening().await;
        self.process.replace(Some(binary));
    }

    async fn die_and_rise(&self) {
        let process = self.process.take();
        if let Some(mut process) = process {
            process.signal(Signal::KILL);
            process.ended().await;
        }
        self.start().await;
    }
}

/// What one identity was sent and has heard.
#[derive(Default)]
struct Story {
    /// Numbers of which it was said that they are stored.
    stored: RefCell<Vec<u32>>,
    /// Ids and numbers, as they came.
    heard: RefCell<Vec<(u64, u32)>>,
}

impl Story {
    fn is_complete(&self) -> bool {
        let heard = self.heard.borrow();
        self.stored.borrow().iter().all(|number| heard.iter().any(|(_, other)| other == number))
    }

    /// Panics if a promise was broken.
    fn check(&self, name: &str) {
        let heard = self.heard.borrow();
        let mut first: Vec<(u64, u32)> = Vec::new();
        for (id, number) in heard.iter() {
            match first.iter().find(|(_, other)| other == number) {
                Some((before, _)) => assert_eq!(before, id, "{name}: {number} came again, under another id"),
                None => first.push((*id, *number)),
            }
        }
        assert!(first.is_sorted_by(|a, b| a.1 < b.1), "{name}: out of order: {first:?}");
        assert!(first.is_sorted_by(|a, b| a.0 < b.0), "{name}: ids out of order: {first:?}");
        for number in self.stored.borrow().iter() {
            assert!(first.iter().any(|(_, other)| other == number), "{name}: {number} was stored and has not come");
        }
    }
}

/// Servers, identities, and how far all has come.
struct Course {
    servers: Vec<Mortal>,
    stories: Vec<Story>,
    scale: Scale,
    sent: Cell<u32>,
    over: Cell<bool>,
}

impl Course {
    fn new(servers: Vec<Mortal>) -> Self {
        let scale = scale();
        let stories = (0..scale.identities).map(|_| Story::default()).collect();
        Course { servers, stories, scale, sent: Cell::new(0), over: Cell::new(false) }
    }

    async fn run(&self, seed: u64, trouble: impl Future<Output = ()>) {
        let ready = Cell::new(0);
        let receivers = (0..self.stories.len()).map(|index| self.receive(index, seed, &ready));
        let receivers = futures_util::future::join_all(receivers);
        let course = async {
            within_bound(BOUND * 3, "all are registered", async {
                until(BOUND * 3, "all", async || ready.get() == self.stories.len()).await;
            })
            .await;
            let senders = (0..8).map(|sender| self.send(sender, seed));
            tokio::join!(futures_util::future::join_all(senders), trouble);
            let complete = async || self.stories.iter().all(Story::is_complete);
            // If it does not come, `check` says what.
            let _ = tokio::time::timeout(BOUND * 6, until(BOUND * 7, "everything has come", complete)).await;
            self.over.set(true);
        };
        tokio::join!(receivers, course);
        for (index, story) in self.stories.iter().enumerate() {
            story.check(&format!("user-{index} (seed {seed:#x})"));
        }
        let (stored, heard): (usize, usize) = self.stories.iter().fold((0, 0), |(stored, heard), story| {
            (stored + story.stored.borrow().len(), heard + story.heard.borrow().len())
        });
        println!("{} sent, {stored} said to be stored, {heard} heard", self.sent.get());
        assert!(stored > self.scale.notifications as usize / 2, "the trouble was too much to show anything: {stored}");
    }

    fn server(&self, random: &mut Random) -> SocketAddr {
        self.servers[usize::from(random.below(u16::try_from(self.servers.len()).expect("a few")))].address
    }

    /// One user's client: it comes, registers, listens, goes at random or because something dies, and comes again.
    async fn receive(&self, index: usize, seed: u64, ready: &Cell<usize>) {
        let mut random = Random::new(seed ^ (index as u64 + 1) << 32);
        let mut was_ready = false;
        let mut pulse = tokio::time::interval(Duration::from_millis(50));
        while !self.over.get() {
            pulse.tick().await;
            let Some(mut socket) = open(self.server(&mut random)).await else { continue };
            if socket.send(Message::text(format!("register user-{index}"))).await.is_err() {
                continue;
            }
            let stays = random.below(10);
            let (mut heard, mut leaving, mut refused) = (0, false, false);
            loop {
                if !leaving && (refused || self.over.get() || (heard >= stays && was_ready)) {
                    // In good order: what is on its way to it is still its own.
                    leaving = true;
                    let _ = socket.get_mut().write_all(&CLOSE).await;
                }
                let text = match tokio::time::timeout(Duration::from_millis(500), socket.next()).await {
                    // Who leaves waits for the end, too.
                    Err(_elapsed) => continue,
                    Ok(Some(Ok(Message::Text(text)))) => text,
                    Ok(Some(Ok(_))) => continue,
                    Ok(Some(Err(_)) | None) => break,
                };
                refused |= text.starts_with("unavailable: ") || text.starts_with("replaced ");
                if text == "ok" && !was_ready {
                    was_ready = true;
                    ready.set(ready.get() + 1);
                }
                if let Some((id, told)) = super::post::split(&text, &format!("user-{index}")) {
                    self.stories[index].heard.borrow_mut().push((id, told.parse().expect("a number")));
                    heard += 1;
                }
            }
        }
    }

    /// Notifies its share of the identities in turn, each with numbers in order.
    async fn send(&self, sender: usize, seed: u64) {
        let mut random = Random::new(seed ^ (sender as u64 + 1) << 16);
        let mine: Vec<usize> = (0..self.stories.len()).filter(|index| index % 8 == sender).collect();
        let each = self.scale.notifications / u32::try_from(self.stories.len()).expect("a few");
        for number in 0..each {
            for index in &mine {
                let answer = post(self.server(&mut random), &format!("user-{index}"), number).await;
                match answer.as_deref() {
                    Some("true") => self.stories[*index].stored.borrow_mut().push(number),
                    Some("false") => panic!("user-{index} is not known (seed {seed:#x})"),
                    // Whether it is stored is not known.
                    Some(_) => {}
                    None => self.somebody_is_there().await,
                }
                self.sent.set(self.sent.get() + 1);
            }
        }
    }

    async fn somebody_is_there(&self) {
        let there = async || {
            for server in &self.servers {
                if TcpStream::connect(server.address).await.is_ok() {
                    return true;
                }
            }
            false
        };
        until(BOUND * 3, "somebody is there", there).await;
    }

    /// Waits until a part of everything has been sent.
    async fn reaches(&self, part: f64) {
        let count = f64::from(self.scale.notifications) * part;
        until(BOUND * 12, "notifications are sent", async || f64::from(self.sent.get()) >= count * 0.95).await;
    }
}

async fn open(address: SocketAddr) -> Option<WebSocketStream<TcpStream>> {
    let opened = async {
        let stream = TcpStream::connect(address).await.ok()?;
        client_async(format!("ws://{address}/postbox/x"), stream).await.ok().map(|(socket, _)| socket)
    };
    tokio::time::timeout(Duration::from_secs(3), opened).await.ok().flatten()
}

/// Notifies by a plain request; none if there is no answer.
async fn post(address: SocketAddr, name: &str, number: u32) -> Option<String> {
    let asked = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        let body = number.to_string();
        let request = format!(
            "POST /postbox/notify?{name} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
    };
    tokio::time::timeout(Duration::from_secs(10), asked).await.ok().flatten()
}

#[tokio::test]
async fn two_servers_and_a_redis_that_die() {
    let seed = 0x1d;
    let mut redis = RedisServer::with(&["--appendonly", "yes", "--appendfsync", "always"]).await;
    let url = redis.url();
    let servers = vec![Mortal::new(&["--redis", &url]).await, Mortal::new(&["--redis", &url]).await];
    let course = Course::new(servers);
    let kills = course.scale.kills;
    course
        .run(seed, async {
            for kill in 0..kills {
                course.reaches((kill * 2 + 1) as f64 / (kills * 2 + 1) as f64).await;
                course.servers[kill % 2].die_and_rise().await;
                course.reaches((kill * 2 + 2) as f64 / (kills * 2 + 1) as f64).await;
                redis.kill();
                redis.restart().await;
            }
        })
        .await;
}

#[tokio::test]
async fn one_server_with_a_file_that_dies() {
    let folder = Folder::new();
    let data = folder.join("data").display().to_string();
    let course = Course::new(vec![Mortal::new(&["--data", &data]).await]);
    let kills = course.scale.kills * 2;
    course
        .run(0x2d, async {
            for kill in 0..kills {
                course.reaches((kill + 1) as f64 / (kills + 1) as f64).await;
                course.servers[0].die_and_rise().await;
            }
        })
        .await;
}
