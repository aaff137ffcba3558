//! As many instances as there may be, and no more: what is refused, what waits, and that room comes back.

use crate::harness::binary::{self, Call};
use crate::harness::host::TestHost;
use crate::harness::wait::within;
use std::time::Duration;

#[tokio::test]
async fn no_room_for_an_instance_is_503_until_there_is() {
    let host = TestHost::serving(&["probe"])
        .config(|config| {
            (config.max_instances, config.guest.connections_per_instance) = (2, 1);
            config.guest.instances = Some(2);
        })
        .start()
        .await;
    let mut first = host.connect("/probe/x").await;
    let second = host.connect("/probe/x").await;
    let answer = host.knock("/probe/x").refused(503).await;
    assert!(answer.header("retry-after").is_some(), "says when to come back");
    first.exchange("echo not touched", "not touched").await;
    second.leave().await;
    host.counts("an instance is dropped", |counted| counted.instances == 1).await;
    host.connect("/probe/x").await.exchange("echo in", "in").await;
}

#[tokio::test]
async fn full_instances_are_told_everything_at_once() {
    let host = TestHost::with(&["probe"]).await;
    let mut clients = Vec::new();
    // As many as fill an instance on each of two cores with the default setting, and some more.
    for _ in 0..520 {
        clients.push(host.connect("/probe/x").await);
    }
    let (speaker, others) = clients.split_first_mut().expect("there are some");
    for round in ["first", "second"] {
        speaker.exchange(&format!("broadcast {round}"), "ok").await;
        for client in &mut *others {
            client.expect(&format!("told {round}")).await;
        }
    }
    assert_eq!(host.counted().traps, 0);
}

#[tokio::test]
async fn a_plain_request_waits_for_room_and_is_503_if_none_comes() {
    let host = TestHost::serving(&["plain-http"])
        .config(|config| (config.max_requests, config.guest.call_time) = (1, Duration::from_millis(300)))
        .start()
        .await;
    let mut first = host.ask("POST", "/plain-http").header("transfer-encoding", "chunked").begin().await;
    first.write_chunk("piece").await;
    assert_eq!(first.head().await.status, 200);
    let (answer, ()) = tokio::join!(host.ask("GET", "/plain-http").get(), async {
        // The first one is kept alive for as long as the second one waits.
        let mut pulse = tokio::time::interval(Duration::from_millis(100));
        for _ in 0..6 {
            pulse.tick().await;
            first.write_chunk("piece").await;
        }
    });
    assert_eq!(answer.status, 503);
    let waiting = host.ask("GET", "/plain-http");
    let (answer, ()) = tokio::join!(waiting.get(), async { drop(first) });
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn slow_requests_do_not_keep_connections_out() {
    let host = TestHost::serving(&["plain-http", "echo"])
        .config(|config| (config.max_requests, config.max_instances) = (1, 1))
        .start()
        .await;
    let mut slow = host.ask("POST", "/plain-http").header("transfer-encoding", "chunked").begin().await;
    slow.write_chunk("piece").await;
    assert_eq!(slow.head().await.status, 200);
    host.connect("/echo").await.exchange("in", "in").await;
}

#[tokio::test]
async fn a_failed_instance_gives_its_room_back() {
    let host = TestHost::serving(&["misbehave"])
        .config(|config| (config.max_instances, config.guest.max_failures) = (1, 1_000))
        .start()
        .await;
    for round in 0..50 {
        let mut client = host.connect("/misbehave/panic-in-message").await;
        client.exchange("in", "in").await;
        client.say("now").await;
        client.expect_close(1011).await;
        host.counts("traps", |counted| counted.traps == round + 1).await;
    }
    for _ in 0..20 {
        assert_eq!(host.ask("GET", "/misbehave/panic-in-http").get().await.status, 500);
        host.knock("/misbehave/panic-in-connect").refused(500).await;
    }
    host.counts("nothing is left", |counted| (counted.connections, counted.instances) == (0, 0)).await;
}

#[tokio::test]
async fn many_sandboxes_of_ones_own() {
    let host = TestHost::serving(&["echo"]).config(|config| config.guest.connections_per_instance = 1).start().await;
    let mut clients = Vec::new();
    for _ in 0..500 {
        clients.push(host.connect("/echo").await);
    }
    host.counts("instances", |counted| counted.instances == 500).await;
    for client in &mut clients {
        client.exchange("hi", "hi").await;
    }
    drop(clients);
    host.counts("all are dropped", |counted| counted.instances == 0).await;
}

#[tokio::test]
async fn many_requests_at_once_are_all_answered() {
    let host = TestHost::serving(&["probe"]).config(|config| config.max_requests = 4).start().await;
    let asking: Vec<_> =
        (0..200).map(|number| tokio::spawn(host.ask("GET", &format!("/probe/{number}")).get())).collect();
    for (number, answer) in asking.into_iter().enumerate() {
        let answer = within("an answer", answer).await.expect("no panic");
        assert_eq!(answer.json()["path"], format!("/probe/{number}"));
    }
}

#[tokio::test]
async fn clients_get_what_files_there_are_and_the_others_503() {
    let (binary, address) = Call::serve_with_files(128).guests(&["echo", "visits"]).anywhere().listening().await;
    binary.logs(&["WARN", "max-connections is 100000", "128 files", "96 clients", "LimitNOFILE"]).await;
    let mut clients = Vec::new();
    for _ in 0..96 {
        clients.push(binary::connect(address, "/echo").await);
    }
    for _ in 0..40 {
        let answer = binary::ask(address, "GET", "/echo").get().await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
    }
    for client in &mut clients {
        client.exchange("hi", "hi").await;
    }
    clients.pop().expect("there are some").leave().await;
    within("the free place", async { while binary::ask(address, "GET", "/echo").get().await.status == 503 {} }).await;
    let lines = binary.stderr().iter().filter(|line| line.contains("could not be accepted")).count();
    assert!(lines <= 1, "{lines} lines: {:?}", binary.stderr());
}
