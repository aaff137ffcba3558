//! A service that does what it is told by an event, and publishes what it has to say; clients only tell and listen. It keeps a
//! number, by saved state.

use std::time::Duration;

use lakou_sdk::{Closing, Controller, Message, Peer, Request, Result, Saved, Socket, controller, messaging};

/// The service, or a client.
pub struct Keeper {
    socket: Socket,
    is_service: bool,
    number: u64,
}

#[controller(path = "/keeper", service)]
impl Controller for Keeper {
    fn open(socket: Socket, request: Request) -> Self {
        let is_service = request.peer() == Peer::Nobody;
        if is_service {
            say("born");
        } else {
            let _ = socket.subscribe("keeper");
        }
        Keeper { socket, is_service, number: 0 }
    }

    fn resume(socket: Socket, request: Request, state: Saved) -> Result<Self> {
        let number: u64 = state.parse()?;
        assert!(number != 13, "this state can not be resumed");
        let is_service = request.peer() == Peer::Nobody;
        if is_service {
            say(&format!("back {number}"));
        }
        Ok(Keeper { socket, is_service, number })
    }

    fn message(&mut self, message: Message) -> Result {
        self.socket.broadcast(KeeperEvents::tell(message.as_text().unwrap_or_default()))
    }

    fn close(&mut self, closing: Closing) {
        if self.is_service {
            say(&format!("closed {}", closing.code));
        }
    }

    #[event]
    fn tell(&mut self, word: &str) -> Result {
        if !self.is_service {
            return Ok(());
        }
        match word {
            "id" => say(self.socket.id().as_str()),
            "trap" => panic!("as told"),
            "close" => self.socket.close(1000, "done")?,
            "send" => say(&format!("{} | {}", fault(self.socket.send("x")), fault(self.socket.subscribe("keeper")))),
            "later" => self.socket.after(Duration::from_millis(20), KeeperEvents::tell("it is later"))?.detach(),
            "multicast" => self.socket.multicast(KeeperEvents::tell("multicast of a service"))?,
            other => match other.strip_prefix("save ").and_then(|number| number.parse().ok()) {
                Some(number) => {
                    self.number = number;
                    self.socket.save(Saved::json(&number)?)?;
                    say(&format!("saved {number}"));
                }
                None => say(&format!("heard {other} {}", self.number)),
            },
        }
        Ok(())
    }
}

fn say(text: &str) {
    let _ = messaging::publish("keeper", text);
}

fn fault(result: Result) -> String {
    result.map_or_else(|fault| fault.to_string(), |()| "ok".to_owned())
}
