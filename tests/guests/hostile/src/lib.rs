//! A guest that tries what it must not be able to do. `/hostile/{deed}` says what: a deed is done when the client says `go`,
//! but for those of `connect`, `open`, `timer` and `http`, whose names begin with that. It is mounted under the names of the
//! scenarios, for which its own leaves room.

#![cfg(target_family = "wasm")]

mod floods;
mod handshakes;
mod hoards;
mod loops;

use lakou_sdk::{
    Acceptance, Closing, Controller, Event, Message, Refusal, Request, Result, Saved, Socket, Timer, controller, http,
};
use std::time::Duration;

/// After it has been idle for longer than its scenario lets it be, and all others of the scenario are there.
const LATER: Duration = Duration::from_secs(2);

/// A connection that means no good.
pub struct Hostile {
    socket: Socket,
    deed: String,
}

#[controller(name = "hostile-under-the-name-of-its-scenario", path = "/hostile/{deed}")]
impl Controller for Hostile {
    fn connect(request: &Request) -> Result<Acceptance, Refusal> {
        match request.param("deed").unwrap_or_default() {
            "connect-spin" => loops::spin(),
            "connect-trap" => panic!("on purpose"),
            deed => handshakes::answer(deed),
        }
    }

    fn open(socket: Socket, request: Request) -> Self {
        let deed = request.param("deed").unwrap_or_default().to_owned();
        match deed.as_str() {
            "open-spin" => loops::spin(),
            "open-trap" => panic!("on purpose"),
            "timer-spin" => {
                if let Ok(timer) = socket.after(Duration::from_millis(10), HostileEvents::strike()) {
                    timer.detach();
                }
            }
            // From here on it can be put to sleep and woken.
            "message-trap-saved" => drop(socket.save(Vec::new())),
            "timer-saved" => {
                let _ = socket.save(Vec::new());
                let _ = socket.after(LATER, HostileEvents::strike()).map(Timer::detach);
            }
            _ => {}
        }
        Hostile { socket, deed }
    }

    fn resume(socket: Socket, request: Request, _state: Saved) -> Result<Self> {
        Ok(Hostile { socket, deed: request.param("deed").unwrap_or_default().to_owned() })
    }

    fn suspend(&mut self) -> Option<Saved> {
        match self.deed.as_str() {
            "suspend-trap" => panic!("on purpose"),
            "timer-saved" => Some(Saved::from(Vec::new())),
            "suspend-too-much" => Some(Saved::from(vec![0; 1 << 20])),
            _ => None,
        }
    }

    fn message(&mut self, message: Message) -> Result {
        if message.as_text() == Some("go") {
            let outcome = self.go();
            return self.socket.send(outcome);
        }
        self.socket.send(&message)
    }

    fn close(&mut self, _closing: Closing) {
        if self.deed == "close-trap" {
            panic!("on purpose");
        }
    }

    fn http(request: http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        match request.uri().path().rsplit('/').next().unwrap_or_default() {
            "http-spin" => loops::spin(),
            "http-sleep" => std::thread::sleep(Duration::from_secs(3600)),
            "http-trap" => panic!("on purpose"),
            _ => {}
        }
        http::Response::new(b"behaved".to_vec())
    }

    /// What the deeds emit, and what timers call.
    #[event]
    fn strike(&mut self) {
        match self.deed.as_str() {
            "timer-spin" => loops::spin(),
            "timer-saved" => drop(self.socket.send("later")),
            "breed" => drop(self.socket.broadcast(HostileEvents::strike())),
            _ => {}
        }
    }
}

impl Hostile {
    /// Does the deed, and says how it went if it comes to that.
    fn go(&self) -> String {
        let socket = &self.socket;
        match self.deed.as_str() {
            "spin" => loops::spin(),
            "sleep" => loops::sleep(),
            "block" => loops::block(),
            "recurse" => loops::recurse(),
            "attend" => loops::attend(),
            "message-trap" | "message-trap-saved" => panic!("on purpose"),
            "panic-hugely" => panic!("{}", "on purpose\n".repeat(100_000)),
            "exit" => std::process::exit(7),
            "stdout" => floods::stdout(),
            "stderr" => floods::stderr(),
            "gush" => floods::gush(),
            "misfits" => floods::misfits(),
            "broadcast" => floods::until_refused(|| socket.broadcast(HostileEvents::strike())),
            "multicast" => floods::until_refused(|| socket.multicast(HostileEvents::strike())),
            "publish" => floods::until_refused(|| lakou_sdk::messaging::publish("flood", "drop")),
            "notify" => floods::notifications(socket),
            "subscribe" => floods::until_refused(|| socket.subscribe("hostile")),
            "unsubscribe" => floods::unsubscriptions(socket),
            "registered" => floods::until_refused(|| lakou_sdk::messaging::registered("victim").map(drop)),
            "unregister" => floods::until_refused(|| socket.unregister("victim")),
            "guess" => floods::guesses(socket),
            "breed" => floods::until_refused(|| socket.unicast(&socket.id(), HostileEvents::strike())),
            "slow-client" => floods::until_refused(|| socket.send(vec![0; 1 << 16])),
            "enormous-message" => format!("{:?}", socket.send(vec![0; 3 << 20])),
            "enormous-event" => {
                let huge = Event::from_json("strike", format!(r#"["{}"]"#, "x".repeat(300_000)));
                format!("{:?}", socket.broadcast(huge))
            }
            "enormous-publication" => format!("{:?}", lakou_sdk::messaging::publish("flood", vec![0; 3 << 20])),
            "codes" => handshakes::close_codes(socket),
            "memory" => hoards::memory(),
            "pollables" => hoards::pollables(),
            "fields" => hoards::fields(),
            "methods" => hoards::methods(),
            "ticks" => hoards::ticks(socket),
            "handover" => hoards::handover(socket),
            "random" => hoards::random(),
            "save" => format!("{:?}", socket.save(vec![0; 1 << 20])),
            "timers" => hoards::timers(socket),
            "topics" => hoards::topics(socket),
            "mailboxes" => hoards::mailboxes(socket),
            "registrations" => hoards::registrations(socket),
            other => format!("no deed `{other}`"),
        }
    }
}
