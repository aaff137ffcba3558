//! A guessing game with saved state: a player's round goes on when another player takes the sandbox down, and long idle
//! players cost no memory.
//!
//! Try it: connect two WebSocket clients to `/guess`. Send `{"event":"guess","number":50}` from one, and
//! `{"event":"crash"}` from the other, which is closed with 1011; then guess on.

use std::cmp::Ordering;
use std::hash::{BuildHasher, RandomState};

use lakou_sdk::{Controller, Request, Result, Saved, Socket, controller, json};
use serde::{Deserialize, Serialize};

/// The secret is 1 to this.
const HIGHEST: u64 = 100;

/// A player.
pub struct Guess {
    socket: Socket,
    game: Game,
}

/// What has to survive: all of the player but the socket.
#[derive(Serialize, Deserialize)]
struct Game {
    secret: u64,
    tries: u32,
    won: u32,
}

#[controller]
impl Controller for Guess {
    fn open(socket: Socket, _request: Request) -> Self {
        let guess = Self { socket, game: Game { secret: secret(), tries: 0, won: 0 } };
        // From here on the player survives, even without a guess.
        if let Err(fault) = guess.save().and_then(|()| guess.invite()) {
            eprintln!("a player is not ready: {fault}");
        }
        guess
    }

    fn resume(socket: Socket, _request: Request, state: Saved) -> Result<Self> {
        Ok(Self { socket, game: state.parse()? })
    }

    fn suspend(&mut self) -> Option<Saved> {
        Saved::json(&self.game).ok()
    }

    #[client]
    fn guess(&mut self, number: u64) -> Result {
        self.game.tries += 1;
        let tries = self.game.tries;
        let verdict = match number.cmp(&self.game.secret) {
            Ordering::Less => "higher",
            Ordering::Greater => "lower",
            Ordering::Equal => "right",
        };
        if verdict == "right" {
            self.game = Game { secret: secret(), tries: 0, won: self.game.won + 1 };
        }
        // First: what the player has been told must not be forgotten.
        self.save()?;
        self.socket.send(json!({ "event": verdict, "number": number, "tries": tries, "won": self.game.won }))
    }

    /// Takes down what all players of this sandbox share. No real game has this.
    #[client]
    fn crash(&mut self) {
        panic!("a player has asked for it");
    }
}

impl Guess {
    fn save(&self) -> Result {
        self.socket.save(Saved::json(&self.game)?)
    }

    fn invite(&self) -> Result {
        self.socket.send(json!({ "event": "guess", "from": 1, "to": HIGHEST }))
    }
}

/// A number that no player can know: the standard library seeds its hashers at random.
fn secret() -> u64 {
    RandomState::new().hash_one("secret") % HIGHEST + 1
}

#[cfg(test)]
mod tests;
