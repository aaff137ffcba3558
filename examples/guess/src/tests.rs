//! The game against the SDK's fake host: native, without a server.

use lakou_sdk::testing::{Client, Host};
use lakou_sdk::{Value, json};

use super::{Guess, HIGHEST, secret};

/// A player who has been invited and whose secret is 30.
fn player(host: &Host) -> Client {
    let player = host.connect::<Guess>("/guess").expect("open to all");
    assert_eq!(player.json(), [json!({ "event": "guess", "from": 1, "to": HIGHEST })]);
    player.inspect(|guess: &mut Guess| guess.game.secret = 30);
    player
}

fn guess(player: &Client, number: u64) -> Value {
    player.call("guess", json!({ "number": number }));
    let [answer] = &player.json()[..] else { panic!("one answer to a guess") };
    answer.clone()
}

#[test]
fn a_round_ends_with_the_right_number() {
    let host = Host::new();
    let one = player(&host);
    assert_eq!(guess(&one, 20), json!({ "event": "higher", "number": 20, "tries": 1, "won": 0 }));
    assert_eq!(guess(&one, 40), json!({ "event": "lower", "number": 40, "tries": 2, "won": 0 }));
    assert_eq!(guess(&one, 30), json!({ "event": "right", "number": 30, "tries": 3, "won": 1 }));
    assert_eq!(guess(&one, 1000), json!({ "event": "lower", "number": 1000, "tries": 1, "won": 1 }));
}

#[test]
fn a_round_goes_on_after_a_failure_of_another() {
    let host = Host::new();
    let [one, two] = [(), ()].map(|()| player(&host));
    guess(&one, 20);
    host.restart_instance::<Guess>();
    assert_eq!(guess(&one, 30), json!({ "event": "right", "number": 30, "tries": 2, "won": 1 }));
    assert_eq!(two.closing(), None, "not even without a guess");
}

#[test]
fn a_round_goes_on_after_a_rest() {
    let host = Host::new();
    let one = player(&host);
    assert!(host.hibernate::<Guess>());
    assert_eq!(guess(&one, 30), json!({ "event": "right", "number": 30, "tries": 1, "won": 1 }));
}

#[test]
fn nothing_is_forgotten_that_a_player_was_told() {
    let host = Host::new();
    let one = player(&host);
    guess(&one, 1);
    let saved: Value = one.saved().expect("a guess is saved").parse().expect("as JSON");
    assert_eq!(saved, json!({ "secret": 30, "tries": 1, "won": 0 }));
}

#[test]
fn secrets_are_within_bounds_and_not_all_the_same() {
    let secrets: Vec<u64> = (0..1000).map(|_| secret()).collect();
    assert!(secrets.iter().all(|secret| (1..=HIGHEST).contains(secret)));
    assert!(secrets.iter().any(|secret| *secret != secrets[0]));
}
