//! Guests that fail in every handler and every way. Whatever they do: the connection at fault closes with 1011, those
//! that share its instance with 1012 (nothing of them was saved), everybody else goes on, and it is counted.

use crate::harness::host::TestHost;
use crate::harness::wait::within;
use crate::harness::ws::WsClient;
use lakou_host::Snapshot;
use std::time::{Duration, Instant};

/// How each deed is counted.
type Counter = fn(&Snapshot) -> u64;
const DEEDS: [(&str, Counter); 6] = [
    ("panic", |counted| counted.traps),
    ("recurse", |counted| counted.traps),
    ("exit", |counted| counted.traps),
    ("hog", |counted| counted.memory_refused),
    ("loop", |counted| counted.cpu_exceeded),
    ("sleep", |counted| counted.time_exceeded),
];

/// A scene: a host, a sibling that behaves, and a bystander of another controller.
struct Scene {
    host: TestHost,
    sibling: WsClient,
    bystander: WsClient,
}

impl Scene {
    async fn new() -> Self {
        let host = TestHost::serving(&["misbehave", "echo"])
            .config(|config| {
                // Whoever shares an instance with whom is to be known: all with all.
                config.guest.connections_per_instance = 256;
                config.guest.memory = 8 << 20;
                config.guest.cpu_time = Duration::from_millis(50);
                config.guest.call_time = Duration::from_millis(300);
                config.drain_time = Duration::from_millis(100);
            })
            .start()
            .await;
        let mut sibling = host.connect("/misbehave/good").await;
        sibling.exchange("in", "in").await;
        let mut bystander = host.connect("/echo").await;
        bystander.exchange("in", "in").await;
        Scene { host, sibling, bystander }
    }

    /// What holds after every deed: the bystander was not touched, and the class works again.
    async fn goes_on(mut self, what: &str, counter: Counter) {
        assert!(counter(&self.host.counted()) >= 1, "{what} is counted: {:?}", self.host.counted());
        self.bystander.exchange("still here", "still here").await;
        let mut next = self.host.connect("/misbehave/good").await;
        next.exchange("a fresh instance", "a fresh instance").await;
    }
}

#[tokio::test]
async fn in_message() {
    for (deed, counter) in DEEDS {
        let mut scene = Scene::new().await;
        let mut culprit = scene.host.connect(&format!("/misbehave/{deed}-in-message")).await;
        culprit.say("now").await;
        culprit.expect_close(1011).await;
        scene.sibling.expect_close(1012).await;
        scene.goes_on(deed, counter).await;
    }
}

#[tokio::test]
async fn in_connect() {
    for (deed, counter) in DEEDS {
        let mut scene = Scene::new().await;
        let answer = scene.host.knock(&format!("/misbehave/{deed}-in-connect")).refused(500).await;
        assert!(!answer.text().contains("on purpose"), "the client is not told of the inside: {}", answer.text());
        scene.sibling.expect_close(1012).await;
        scene.goes_on(deed, counter).await;
    }
}

#[tokio::test]
async fn in_open() {
    for (deed, counter) in DEEDS {
        let mut scene = Scene::new().await;
        scene.host.connect(&format!("/misbehave/{deed}-in-open")).await.expect_close(1011).await;
        scene.sibling.expect_close(1012).await;
        scene.goes_on(deed, counter).await;
    }
}

#[tokio::test]
async fn in_an_event() {
    for (deed, counter) in DEEDS {
        let mut scene = Scene::new().await;
        let mut culprit = scene.host.connect(&format!("/misbehave/{deed}-in-event")).await;
        culprit.exchange("in", "in").await;
        let mut witness = scene.host.connect("/misbehave/good").await;
        witness.exchange("in", "in").await;
        scene.sibling.say("strike").await;
        culprit.expect_close(1011).await;
        witness.expect_close(1012).await;
        scene.sibling.expect_close(1012).await;
        scene.goes_on(deed, counter).await;
    }
}

#[tokio::test]
async fn in_close() {
    for (deed, counter) in DEEDS {
        let mut scene = Scene::new().await;
        let culprit = scene.host.connect(&format!("/misbehave/{deed}-in-close")).await;
        // It gets its own close answered; the failure comes after.
        culprit.leave().await;
        scene.sibling.expect_close(1012).await;
        scene.goes_on(deed, counter).await;
    }
}

#[tokio::test]
async fn in_the_destructor() {
    for (deed, counter) in [DEEDS[0], DEEDS[4]] {
        let mut scene = Scene::new().await;
        let culprit = scene.host.connect(&format!("/misbehave/{deed}-in-drop")).await;
        culprit.leave().await;
        scene.sibling.expect_close(1012).await;
        scene.goes_on(deed, counter).await;
    }
}

#[tokio::test]
async fn in_undelivered() {
    for (deed, counter) in DEEDS {
        let mut scene = Scene::new().await;
        let mut leaver = scene.host.connect("/misbehave/good").await;
        leaver.say("id").await;
        let target = leaver.hear_text().await;
        leaver.leave().await;
        scene.host.counts("it has left", |counted| counted.connections == 2).await;
        let mut culprit = scene.host.connect(&format!("/misbehave/{deed}-in-undelivered")).await;
        culprit.say(&format!("poke {target}")).await;
        culprit.expect_close(1011).await;
        scene.sibling.expect_close(1012).await;
        scene.goes_on(deed, counter).await;
    }
}

#[tokio::test]
async fn in_shutdown() {
    for (deed, _) in DEEDS {
        let Scene { mut host, mut sibling, mut bystander } = Scene::new().await;
        let mut culprit = host.connect(&format!("/misbehave/{deed}-in-shutdown")).await;
        culprit.exchange("in", "in").await;
        host.begin_stop();
        for client in [&mut culprit, &mut sibling, &mut bystander] {
            let message = client.hear().await;
            assert!(message.is_close(), "{deed}: {message:?}");
            client.finish().await;
        }
        host.stopped().await;
    }
}

#[tokio::test]
async fn in_http() {
    for (deed, counter) in DEEDS {
        let mut scene = Scene::new().await;
        let answer = scene.host.ask("GET", &format!("/misbehave/{deed}-in-http")).get().await;
        assert!((500..505).contains(&answer.status), "{deed}: {}", answer.status);
        assert_eq!(scene.host.ask("GET", "/misbehave/good").get().await.text(), "behaved");
        scene.sibling.exchange("not in that instance", "not in that instance").await;
        scene.goes_on(deed, counter).await;
    }
}

#[tokio::test]
async fn only_the_one_at_fault_in_a_batch_is_at_fault() {
    let mut scene = Scene::new().await;
    let mut culprit = scene.host.connect("/misbehave/panic-in-message").await;
    // Both write without waiting, so that their messages meet in one batch, in whichever order.
    for round in 0..50 {
        scene.sibling.say(&round.to_string()).await;
    }
    culprit.say("now").await;
    culprit.expect_close(1011).await;
    loop {
        let message = scene.sibling.hear().await;
        if let tokio_tungstenite::tungstenite::Message::Close(Some(frame)) = message {
            assert_eq!(u16::from(frame.code), 1012);
            break;
        }
    }
}

#[tokio::test]
async fn an_instance_of_ones_own_has_no_siblings() {
    let host =
        TestHost::serving(&["misbehave"]).config(|config| config.guest.connections_per_instance = 1).start().await;
    let mut other = host.connect("/misbehave/good").await;
    let mut culprit = host.connect("/misbehave/panic-in-message").await;
    culprit.say("now").await;
    culprit.expect_close(1011).await;
    other.exchange("untouched", "untouched").await;
    host.counts("traps", |counted| counted.traps == 1).await;
}

#[tokio::test]
async fn a_start_function_that_never_returns_is_500() {
    let host = TestHost::serving(&["start-loops", "echo"]).start().await;
    assert_eq!(host.mounts.len(), 2, "loading does not run it: {:?}", host.rejected);
    let mut bystander = host.connect("/echo").await;
    for _ in 0..3 {
        let refused = host.knock("/start-loops").refused(500);
        let (_, ()) = tokio::join!(refused, bystander.exchange("hi", "hi"));
    }
    assert!(host.counted().cpu_exceeded >= 1, "{:?}", host.counted());
}

#[tokio::test]
async fn others_answer_within_their_usual_time() {
    let host = TestHost::serving(&["misbehave", "echo", "probe"])
        .config(|config| config.guest.cpu_time = Duration::from_millis(500))
        .start()
        .await;
    let mut bystanders = [(host.connect("/echo").await, "hi"), (host.connect("/probe/x").await, "echo hi")];
    let usual = median(&mut bystanders).await;
    for deed in ["panic", "loop"] {
        let mut culprits = Vec::new();
        for _ in 0..2 {
            let mut culprit = host.connect(&format!("/misbehave/{deed}-in-message")).await;
            culprit.say("now").await;
            culprits.push(culprit);
        }
        let meanwhile = median(&mut bystanders).await;
        let bound = (usual * 10).max(Duration::from_millis(20));
        assert!(meanwhile < bound, "{deed}: usually {usual:?}, meanwhile {meanwhile:?}");
    }
}

/// The median of 200 exchanges with each in turn.
async fn median(clients: &mut [(WsClient, &str)]) -> Duration {
    let mut times = Vec::new();
    for _ in 0..200 {
        for (client, text) in clients.iter_mut() {
            let begun = Instant::now();
            within("an answer", client.exchange(text, "hi")).await;
            times.push(begun.elapsed());
        }
    }
    times.sort();
    times[times.len() / 2]
}

#[tokio::test]
async fn clients_that_leave_do_not_put_a_controller_out_of_order_that_takes_it_hard() {
    let host = TestHost::with(&["misbehave"]).await;
    for _ in 0..14 {
        host.connect("/misbehave/insist-in-close").await.leave().await;
    }
    host.counts("each has failed", |counted| counted.traps == 14).await;
    assert_eq!(host.counted().backed_off, 0);
    host.connect("/misbehave/insist-in-close").await.exchange("still here", "still here").await;
}
