//! Private messages by connection id; a sender learns when there is nobody to hear.
//!
//! Try it: connect two WebSocket clients to `/whisper`; each is told its id. Send
//! `{"event":"whisper","to":"<the other's id>","text":"psst"}` from one.

use lakou_sdk::{ConnectionId, Controller, Event, Fault, Request, Result, Socket, controller, json};

/// Somebody who whispers and hears.
pub struct Whisper {
    socket: Socket,
}

#[controller(path = "/whisper")]
impl Controller for Whisper {
    fn open(socket: Socket, _request: Request) -> Self {
        // A client that is gone already needs no welcome.
        let _ = socket.send(json!({ "event": "welcome", "id": socket.id() }));
        Self { socket }
    }

    #[client]
    fn whisper(&mut self, to: &ConnectionId, text: &str) -> Result {
        match self.socket.unicast(to, WhisperEvents::whispered(&self.socket.id(), text)) {
            Err(Fault::Invalid(_)) => self.not_heard(to, text),
            outcome => outcome,
        }
    }

    #[event]
    fn whispered(&mut self, from: &ConnectionId, text: &str) -> Result {
        self.socket.send(json!({ "event": "whispered", "from": from, "text": text }))
    }

    fn undelivered(&mut self, target: ConnectionId, event: Event) -> Result {
        let (_from, text): (ConnectionId, String) = event.parse()?;
        self.not_heard(&target, &text)
    }
}

impl Whisper {
    fn not_heard(&self, to: &ConnectionId, text: &str) -> Result {
        self.socket.send(json!({ "event": "undelivered", "to": to, "text": text }))
    }
}

#[cfg(test)]
mod tests {
    use lakou_sdk::{json, testing::Host};

    use super::Whisper;

    #[test]
    fn a_whisper_is_heard_by_one() {
        let host = Host::new();
        let [alice, bob, carol] = [(), (), ()].map(|()| host.connect::<Whisper>("/whisper").expect("open to all"));
        assert_eq!(alice.json(), [json!({ "event": "welcome", "id": alice.id() })]);
        bob.received();
        carol.received();

        alice.call("whisper", json!({ "to": bob.id(), "text": "psst" }));

        assert_eq!(bob.json(), [json!({ "event": "whispered", "from": alice.id(), "text": "psst" })]);
        assert!(alice.received().is_empty() && carol.received().is_empty());
    }

    #[test]
    fn a_whisper_to_nobody_comes_back() {
        let host = Host::new();
        let [alice, bob] = [(), ()].map(|()| host.connect::<Whisper>("/whisper").expect("open to all"));
        bob.leave();
        alice.received();

        alice.call("whisper", json!({ "to": bob.id(), "text": "psst" }));
        alice.call("whisper", json!({ "to": "bob", "text": "hey" }));

        let expected = [
            json!({ "event": "undelivered", "to": bob.id(), "text": "psst" }),
            json!({ "event": "undelivered", "to": "bob", "text": "hey" }),
        ];
        assert_eq!(alice.json(), expected);
    }

    #[test]
    fn nobody_whispers_in_the_name_of_another() {
        let host = Host::new();
        let alice = host.connect::<Whisper>("/whisper").expect("open to all");
        alice.received();

        alice.call("whispered", json!({ "from": "somebody", "text": "psst" }));

        assert!(alice.received().is_empty());
        assert_eq!(host.misfits().len(), 1);
    }
}
