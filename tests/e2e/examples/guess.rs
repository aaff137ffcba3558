//! `examples/guess`: rounds that survive the failure of another player, and a long rest.

use crate::harness::host::TestHost;
use crate::harness::ws::WsClient;
use serde_json::{Value, json};
use std::time::Duration;

/// A player in the middle of a round: what is known of the secret, and how often it was guessed.
struct Player {
    client: WsClient,
    lowest: u64,
    highest: u64,
    tries: u64,
    won: u64,
}

impl Player {
    async fn join(host: &TestHost) -> Self {
        let mut client = host.connect("/guess").await;
        assert_eq!(client.expect_json().await, json!({ "event": "guess", "from": 1, "to": 100 }));
        Player { client, lowest: 1, highest: 100, tries: 0, won: 0 }
    }

    /// Guesses as well as one can, and expects that the host remembers the round as the player does. Whether it was right.
    async fn guess(&mut self) -> bool {
        assert!(self.lowest <= self.highest, "the secret has changed");
        let number = self.lowest.midpoint(self.highest);
        self.client.say(&json!({ "event": "guess", "number": number }).to_string()).await;
        self.tries += 1;
        let answer: Value = self.client.expect_json().await;
        assert_eq!((&answer["number"], &answer["tries"]), (&json!(number), &json!(self.tries)));
        match answer["event"].as_str() {
            Some("higher") => self.lowest = number + 1,
            Some("lower") => self.highest = number - 1,
            Some("right") => (self.lowest, self.highest, self.tries, self.won) = (1, 100, 0, self.won + 1),
            _ => panic!("no verdict: {answer}"),
        }
        assert_eq!(answer["won"], self.won);
        answer["event"] == "right"
    }
}

#[tokio::test]
async fn a_round_survives_the_crashes_of_others() {
    let host = TestHost::with(&["guess"]).await;
    let mut ann = Player::join(&host).await;
    let mut ben = Player::join(&host).await;
    let mut crashes = 0;
    loop {
        let mut other = Player::join(&host).await;
        other.client.say(r#"{"event":"crash"}"#).await;
        other.client.expect_close(1011).await;
        crashes += 1;
        if ann.guess().await {
            break;
        }
    }
    ben.guess().await;
    // Seven guesses are enough for a hundred numbers.
    assert!(crashes <= 7 && host.counted().resumed > crashes, "{crashes} crashes, {:?}", host.counted());
}

#[tokio::test]
async fn a_round_survives_a_rest() {
    let rest = Duration::from_millis(50);
    let host = TestHost::serving(&["guess"]).config(|config| config.guest.hibernate_after = rest).start().await;
    let mut ann = Player::join(&host).await;
    let mut ben = Player::join(&host).await;
    for rests in 1..=3 {
        host.counts("the players sleep", |counted| counted.hibernations >= rests).await;
        ann.guess().await;
    }
    ben.guess().await;
    assert!(host.counted().resumed >= 4, "{:?}", host.counted());
}
