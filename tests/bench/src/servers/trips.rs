//! What clients of two servers see: a unicast, broadcasts, notifications.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

use crate::latency::Latencies;
use crate::processes::Processes;
use crate::raw::{Addition, Trip};

pub(crate) const RAW: &str = "raw PUBLISH to SUBSCRIBE, median";
pub(crate) const XADD: &str = "raw XADD, median";
pub(crate) const ACROSS: &str = "unicast across servers, client to client, median";
pub(crate) const WITHIN: &str = "unicast within one server, client to client, median";
pub(crate) const MAILBOX: &str = "notify to a mailbox, median";

/// The size of what is sent.
const PAYLOAD: &str = "0123456789012345678901234567890123456789012345678901234567890123";

/// Events that a controller emits in one call, and calls under way at a time.
const BURST: u32 = 100;
const BURSTS: u32 = 10;

/// The pause between two trips: what waits is asleep by then, as it mostly is in production, in every process alike.
const PAUSE: Duration = Duration::from_millis(1);

/// A label, a unit and a figure.
pub(crate) type Figure = (&'static str, &'static str, f64);

pub(crate) fn measure(processes: &Processes, trips: u32) -> io::Result<Vec<Figure>> {
    let [a, b] = processes.servers;
    let mut sender = Client::open(a, "/probe/x")?;
    let mut here = Client::open(a, "/probe/x")?;
    let mut there = Client::open(b, "/probe/x")?;
    let mut raw = Trip::new(processes.redis)?;
    let mut addition = Addition::new(processes.redis)?;
    let (id_here, id_there) = (here.id()?, there.id()?);
    let mut teller = Client::open(a, "/postbox/x")?;
    let mut holder = Client::open(b, "/postbox/x")?;
    holder.exchange("register connected", "ok")?;
    holder.exchange("register absent", "ok")?;
    holder.exchange("unregister absent", "ok")?;

    // In turn, so that whatever the machine does it does to all of them.
    let mut latencies: [Latencies; 6] = std::array::from_fn(|_| Latencies::new());
    for _ in 0..trips {
        let mut next = latencies.iter_mut();
        let mut record = |took: io::Result<Duration>| {
            next.next().expect("as many as there are trips").record(took?);
            std::thread::sleep(PAUSE);
            io::Result::Ok(())
        };
        record(raw.go())?;
        record(unicast(&mut sender, &id_here, &mut here))?;
        record(unicast(&mut sender, &id_there, &mut there))?;
        record(addition.go())?;
        record(notify_connected(&mut teller, &mut holder))?;
        let began = Instant::now();
        teller.exchange(&format!("notify absent {PAYLOAD}"), "true")?;
        record(Ok(began.elapsed()))?;
    }
    drop(here);
    // Who left was told of.
    there.quiet()?;
    sender.quiet()?;

    let (cpu, began) = (processes.cpu_of_redis()?, Instant::now());
    let events = broadcasts(&mut sender, &mut there, trips)?;
    let (cpu, took) = (processes.cpu_of_redis()? - cpu, began.elapsed());
    let connected =
        notifications(&mut teller, "connected", trips, |count| (0..count).try_for_each(|_| holder.hear().map(drop)))?;
    let absent = notifications(&mut teller, "absent", trips, |_| Ok(()))?;

    let [raw, within, across, addition, notified, stored] = &latencies;
    Ok(vec![
        (RAW, "us", raw.quantile(0.5)),
        ("raw PUBLISH to SUBSCRIBE, 99 %", "us", raw.quantile(0.99)),
        (WITHIN, "us", within.quantile(0.5)),
        (ACROSS, "us", across.quantile(0.5)),
        ("unicast across servers, client to client, 99 %", "us", across.quantile(0.99)),
        ("broadcast events from one server to the other", "/s", f64::from(events) / took.as_secs_f64()),
        ("CPU of Redis for one of them", "us", cpu.as_secs_f64() * 1e6 / f64::from(events)),
        (XADD, "us", addition.quantile(0.5)),
        ("notify to a connected identity, to its client, median", "us", notified.quantile(0.5)),
        (MAILBOX, "us", stored.quantile(0.5)),
        ("notify to a connected identity, 50 at a time", "/s", connected),
        ("notify to a mailbox, 50 at a time", "/s", absent),
    ])
}

fn unicast(from: &mut Client, id: &str, to: &mut Client) -> io::Result<Duration> {
    let began = Instant::now();
    from.say(&format!("unicast {id} {PAYLOAD}"))?;
    to.hear()?;
    let took = began.elapsed();
    from.expect("ok")?;
    Ok(took)
}

fn notify_connected(teller: &mut Client, holder: &mut Client) -> io::Result<Duration> {
    let began = Instant::now();
    teller.say(&format!("notify connected {PAYLOAD}"))?;
    holder.hear()?;
    let took = began.elapsed();
    teller.expect("true")?;
    Ok(took)
}

/// Has `from` broadcast, some bursts under way at a time; says how many events `to` has got.
fn broadcasts(from: &mut Client, to: &mut Client, trips: u32) -> io::Result<u32> {
    let bursts = (trips / 4).max(BURSTS);
    for burst in 0..bursts + BURSTS {
        if burst < bursts {
            from.say(&format!("count x {BURST}"))?;
        }
        if burst >= BURSTS {
            for _ in 0..BURST {
                to.hear()?;
            }
            from.expect("ok")?;
        }
    }
    Ok(bursts * BURST)
}

/// Notifications a second with some under way at a time, as `heard` hears them.
fn notifications(
    teller: &mut Client,
    name: &str,
    trips: u32,
    mut heard: impl FnMut(u32) -> io::Result<()>,
) -> io::Result<f64> {
    let at_a_time = 50.min(trips);
    let began = Instant::now();
    let rounds = (trips / at_a_time).max(1);
    for _ in 0..rounds {
        for _ in 0..at_a_time {
            teller.say(&format!("notify {name} {PAYLOAD}"))?;
        }
        for _ in 0..at_a_time {
            teller.expect("true")?;
        }
        heard(at_a_time)?;
    }
    Ok(f64::from(rounds * at_a_time) / began.elapsed().as_secs_f64())
}

/// A WebSocket that waits for what it reads.
struct Client(WebSocket<TcpStream>);

impl Client {
    fn open(address: SocketAddr, path: &str) -> io::Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let opened = client(format!("ws://{address}{path}"), stream);
        opened.map(|(socket, _)| Client(socket)).map_err(|error| io::Error::other(format!("{path}: {error}")))
    }

    fn id(&mut self) -> io::Result<String> {
        self.say("id")?;
        self.hear()
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        self.0.send(Message::text(text)).map_err(io::Error::other)
    }

    fn hear(&mut self) -> io::Result<String> {
        loop {
            match self.0.read().map_err(io::Error::other)? {
                Message::Text(text) => return Ok(text.to_string()),
                Message::Ping(_) | Message::Pong(_) => {}
                other => return Err(io::Error::other(format!("the server says {other:?}"))),
            }
        }
    }

    fn expect(&mut self, text: &str) -> io::Result<()> {
        let heard = self.hear()?;
        if heard == text { Ok(()) } else { Err(io::Error::other(format!("{heard} and not {text}"))) }
    }

    fn exchange(&mut self, text: &str, answer: &str) -> io::Result<()> {
        self.say(text)?;
        self.expect(answer)
    }

    /// Skips what others have caused.
    fn quiet(&mut self) -> io::Result<()> {
        std::thread::sleep(Duration::from_millis(100));
        self.say("echo quiet")?;
        while self.hear()? != "quiet" {}
        Ok(())
    }
}
