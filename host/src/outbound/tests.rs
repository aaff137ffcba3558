//! The servers that a controller's list lets it reach, over a real listener on loopback.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::destination::Scheme;

const PATIENCE: Duration = Duration::from_secs(10);

fn outbound(entries: &[&str]) -> Outbound {
    Outbound::new(entries.iter().map(|entry| entry.parse().expect("a destination")).collect())
}

fn target(host: &str, port: u16) -> Target {
    Target { scheme: Scheme::Http, host: Host::of(host).expect("a host"), port }
}

#[tokio::test]
async fn loopback_is_reached_only_if_it_is_listed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let address = format!("http://127.0.0.1:{port}");
    let mapped = format!("http://[::ffff:127.0.0.1]:{port}");
    let (name, word) = (format!("http://localhost:{port}"), format!("http://2130706433:{port} loopback"));
    let spellings = ["127.0.0.1", "localhost", "LOCALHOST.", "127.1", "2130706433", "0x7f000001", "0177.0.0.1"];
    let spellings = spellings.into_iter().chain(["[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "[::]"]);
    for host in spellings {
        let asked = target(host, port);
        let open = async |entries: &[&str]| outbound(entries).open(&asked, PATIENCE).await;
        assert!(matches!(open(&[]).await, Err(NotOpen::NotGranted(_))), "{host}");
        assert!(matches!(open(&["https://*:*", "http://*"]).await, Err(NotOpen::NotGranted(_))), "{host}");
        // Some resolvers know fewer spellings.
        let everything = open(&["http://*:*", "http://*:* private"]).await;
        assert!(matches!(everything, Err(NotOpen::Prohibited { .. } | NotOpen::Unknown(_))), "{host}");
        assert_eq!(open(&[&address]).await.is_ok(), host == "127.0.0.1", "{host}");
        assert_eq!(open(&[&mapped]).await.is_ok(), host.starts_with("[::ffff"), "{host}");
        assert_eq!(open(&[&name]).await.is_ok(), host.to_lowercase().starts_with("localhost"), "{host}");
        assert_eq!(open(&[&word]).await.is_ok(), host == "2130706433", "{host}");
    }
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const METADATA: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254));

#[tokio::test]
async fn a_name_is_judged_by_each_of_its_addresses() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let there = target("backend.test", listener.local_addr().expect("its address").port());
    let open = async |entry: &str, look_up: LookUp| {
        let outbound = Outbound { look_up, ..outbound(&[entry]) };
        outbound.open(&there, PATIENCE).await.map(drop)
    };
    let both: LookUp = |_| Ok(vec![METADATA, LOOPBACK]);
    let prohibited = open("http://*:*", both).await;
    assert!(matches!(prohibited, Err(NotOpen::Prohibited { address: METADATA, .. })), "{prohibited:?}");
    let prohibited = open("http://backend.test:* private", both).await;
    assert!(matches!(prohibited, Err(NotOpen::Prohibited { .. })), "{prohibited:?}");
    // The first is passed over.
    let reached = open("http://backend.test:* loopback", both).await;
    assert!(reached.is_ok(), "{reached:?}");
    let prohibited = open("http://*.test:*", |_| Ok(vec![LOOPBACK])).await;
    assert!(matches!(prohibited, Err(NotOpen::Prohibited { address: LOOPBACK, .. })), "{prohibited:?}");
    let unknown = open("http://*:*", |_| Ok(Vec::new())).await;
    assert!(matches!(unknown, Err(NotOpen::Unknown(_))), "{unknown:?}");
}

#[tokio::test]
async fn a_name_that_changes_is_asked_for_once() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    // An attacker's name: each answer is another one. Who judged one of them and dialled the next would be fooled.
    let rebinding: LookUp = |_| {
        let odd = ASKED.fetch_add(1, Ordering::Relaxed) % 2 == 1;
        Ok(vec![if odd { METADATA } else { LOOPBACK }])
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let there = target("rebinding.test", listener.local_addr().expect("its address").port());
    let outbound = Outbound { look_up: rebinding, ..outbound(&["http://rebinding.test:* loopback"]) };
    for asked in 1..=6 {
        let opened = outbound.open(&there, PATIENCE).await.map(drop);
        assert_eq!(opened.is_ok(), asked % 2 == 1, "{opened:?}");
        assert_eq!(ASKED.load(Ordering::Relaxed), asked);
    }
}

#[tokio::test]
async fn a_name_without_an_address_is_unknown() {
    let open = outbound(&["http://*"]).open(&target("nowhere.invalid", 80), PATIENCE).await;
    assert!(matches!(open, Err(NotOpen::Unknown(_) | NotOpen::Late(_))));
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_late() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let there = target("127.0.0.1", port);
    let outbound = outbound(&[&format!("http://127.0.0.1:{port}")]);
    let request = ::http::Request::get(there.to_string()).body(http_body_util::Empty::new()).expect("a request");
    let line = outbound.open(&there, PATIENCE).await.expect("it listens");
    let short = Duration::from_millis(50);
    let answer = exchange(line, &there, request.clone(), short, short).await;
    assert!(matches!(answer.map(drop), Err(Broken::Late)));

    let serving = tokio::spawn(async move {
        // The first is the one above.
        let (_late, _) = listener.accept().await.expect("a connection");
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut head = [0; 1024];
        let count = stream.read(&mut head).await.expect("a request");
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await.expect("half an answer");
        (String::from_utf8_lossy(&head[..count]).into_owned(), stream)
    });
    let line = outbound.open(&there, PATIENCE).await.expect("it listens");
    let Ok(answer) = exchange(line, &there, request, PATIENCE, short).await else { panic!("no answer") };
    let reading = http_body_util::BodyExt::collect(answer.response.into_body());
    let (read, ()) = tokio::join!(reading, async {
        let _ = tokio::time::timeout(PATIENCE, answer.driver).await;
    });
    assert!(matches!(read.map(drop), Err(Broken::Late)));
    let (head, _stream) = serving.await.expect("no panic");
    assert!(head.starts_with("GET / HTTP/1.1\r\n") && head.contains(&format!("host: 127.0.0.1:{port}\r\n")), "{head}");
}
