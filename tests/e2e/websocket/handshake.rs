//! What `connect` can answer: subprotocols, header fields, refusals. What it must not answer becomes 500.

use crate::harness::host::TestHost;
use crate::harness::logs;
use crate::harness::raw::handshake;
use crate::harness::ws::WsClient;

async fn host() -> TestHost {
    TestHost::with(&["probe"]).await
}

fn header<'a>(client: &'a WsClient, name: &str) -> Option<&'a str> {
    client.answer.headers().get(name).map(|value| value.to_str().expect("text"))
}

#[tokio::test]
async fn the_guest_chooses_a_subprotocol() {
    let host = host().await;
    let mut client = host.knock("/probe/x?subprotocol=v2").subprotocols("v1, v2,v3").open().await;
    assert_eq!(header(&client, "sec-websocket-protocol"), Some("v2"));
    client.say("request").await;
    assert_eq!(client.expect_json().await["subprotocols"], serde_json::json!(["v1", "v2", "v3"]));
}

#[tokio::test]
async fn the_guest_may_choose_none() {
    let host = host().await;
    let mut client = host.dial().await;
    let head = client.upgrade_with("/probe/x", "Sec-WebSocket-Protocol: v1, v2\r\n").await;
    assert!(!head.to_ascii_lowercase().contains("sec-websocket-protocol"), "{head}");
}

#[tokio::test]
async fn a_subprotocol_that_was_not_offered_is_500() {
    let host = host().await;
    host.knock("/probe/x?subprotocol=v9").subprotocols("v1").refused(500).await;
    host.knock("/probe/x?subprotocol=v9").refused(500).await;
    // Subprotocols are compared as they are written (RFC 6455, section 1.9 names no folding).
    host.knock("/probe/x?subprotocol=V1").subprotocols("v1").refused(500).await;
}

#[tokio::test]
async fn what_is_no_token_is_400_before_the_guest_is_asked() {
    let host = host().await;
    // The guest would choose what it is told to.
    for (offer, chosen) in [
        (&b"a b"[..], "a%20b"),
        (b"v1, {\"token\":1}", "v1"),
        (b"\"v1\"", "%22v1%22"),
        (b"v1;q=1", "v1"),
        (b"a/b", "a/b"),
        (b"v1\r\nSec-WebSocket-Protocol: (v2)", "v1"),
        (b"v1, caf\xc3\xa9", "v1"),
    ] {
        let mut client = host.dial().await;
        let request = handshake(&format!("/probe/x?subprotocol={chosen}"), "Sec-WebSocket-Protocol: OFFER\r\n");
        let (begin, end) = request.split_once("OFFER").expect("it is in it");
        client.write([begin.as_bytes(), offer, end.as_bytes()].concat()).await;
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 400 "), "{}: {head}", offer.escape_ascii());
    }
    let counted = host.counted();
    assert_eq!((counted.connections_refused, counted.protocol_errors), (7, 7));
    assert_eq!((counted.instances_opened, counted.connections_opened), (0, 0), "nobody was asked");
    // Empty elements of a list count for nothing (RFC 9110, section 5.6.1).
    host.knock("/probe/x?subprotocol=v2").subprotocols(", v1,,\tv2 ,").open().await;
}

#[tokio::test]
async fn a_choice_of_none_is_in_the_log_once() {
    logs::collect();
    let host = TestHost::serving(&["echo"]).start().await;
    let offer = format!("none-of-mine, {}", "x".repeat(1000));
    for _ in 0..20 {
        let mut client = host.dial().await;
        client.upgrade_with("/echo", &format!("Sec-WebSocket-Protocol: {offer}\r\n")).await;
    }
    // Who offers none misses none.
    host.connect("/echo").await.exchange("hi", "hi").await;
    let line = logs::expect(&["controller=echo", "none of the subprotocols", "(none-of-mine, xxx"]).await;
    assert!(line.len() < 500, "{line}");
    assert_eq!(logs::with(&["none-of-mine"]).len(), 1);
}

#[tokio::test]
async fn the_guest_adds_header_fields() {
    let host = host().await;
    let client = host.connect("/probe/x?header=x-flavour:vanilla").await;
    assert_eq!(header(&client, "x-flavour"), Some("vanilla"));
    let cookie = host.connect("/probe/x?header=set-cookie:a%3Db").await;
    assert_eq!(header(&cookie, "set-cookie"), Some("a=b"));
}

#[tokio::test]
async fn header_fields_of_the_handshake_are_the_hosts() {
    let host = host().await;
    for name in [
        "connection",
        "Upgrade",
        "sec-websocket-accept",
        "Sec-WebSocket-Protocol",
        "sec-websocket-extensions",
        "content-length",
        "Transfer-Encoding",
    ] {
        host.knock(&format!("/probe/x?header={name}:0")).refused(500).await;
    }
}

#[tokio::test]
async fn header_fields_cannot_smuggle_others() {
    let host = host().await;
    for field in ["x-a:b%0d%0ax-evil:1", "x-a:b%0ax-evil:1", "x-a:b%00c", "x-a%0d%0ax-evil:1", "x%20a:b", ":nameless"] {
        let answer = host.knock(&format!("/probe/x?header={field}")).refused(500).await;
        assert_eq!(answer.header("x-evil"), None, "{field}");
        let answer = host.knock(&format!("/probe/x?refuse=403&header={field}")).refused(500).await;
        assert_eq!(answer.header("x-evil"), None, "{field}");
    }
}

#[tokio::test]
async fn a_refusal_is_the_answer() {
    let host = host().await;
    let answer = host.knock("/probe/x?refuse=403&header=x-reason:bored").refused(403).await;
    assert_eq!(answer.header("x-reason"), Some("bored"));
    assert_eq!(answer.text(), "refused on demand");
    let redirect = host.knock("/probe/x?refuse=307&header=location:/elsewhere").refused(307).await;
    assert_eq!(redirect.header("location"), Some("/elsewhere"));
    host.knock("/probe/x?refuse=401&header=www-authenticate:Bearer").refused(401).await;
    let counted = host.counted();
    assert_eq!((counted.connections_opened, counted.connections_refused), (0, 3));
}

#[tokio::test]
async fn a_refusal_that_is_none_is_500() {
    let host = host().await;
    for status in ["0", "101", "200", "204", "299", "600", "999"] {
        host.knock(&format!("/probe/x?refuse={status}")).refused(500).await;
    }
}

#[tokio::test]
async fn a_refusal_does_not_set_its_own_length() {
    let host = host().await;
    for field in ["content-length:3", "transfer-encoding:chunked"] {
        let target = format!("/probe/x?refuse=403&header={field}");
        let answer = host.ask("GET", &target).header("connection", "Upgrade").header("upgrade", "websocket");
        let answer = answer
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", crate::harness::raw::KEY)
            .send()
            .await;
        match answer.status {
            403 => assert_eq!(answer.text(), "refused on demand", "{field}: left out"),
            status => assert_eq!(status, 500, "{field}: or refused"),
        }
    }
}

#[tokio::test]
async fn no_extension_is_agreed_on() {
    let host = host().await;
    let mut client = host.dial().await;
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    let head = client.upgrade_with("/probe/x", offer).await;
    assert!(!head.to_ascii_lowercase().contains("sec-websocket-extensions"), "{head}");
}

#[tokio::test]
async fn what_open_sends_arrives_first() {
    let host = host().await;
    let mut client = host.connect("/probe/x?greeting=welcome").await;
    client.expect("welcome").await;
}

#[tokio::test]
async fn the_first_frame_may_come_with_the_handshake() {
    use crate::harness::frames::{Frame, TEXT};
    let host = host().await;
    let mut client = host.dial().await;
    let mut bytes = handshake("/probe/x", "").into_bytes();
    bytes.extend(Frame::new(TEXT, "echo early").bytes());
    client.write(bytes).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    client.expect(TEXT, "early").await;
}

#[tokio::test]
async fn a_refusal_may_name_what_it_wants() {
    let host = TestHost::with(&["probe"]).await;
    let answer = host.knock("/probe/x?refuse=426&header=upgrade:other-protocol").refused(426).await;
    assert_eq!(answer.header("upgrade"), Some("other-protocol"));
    assert!(answer.header("connection").is_some_and(|value| value.contains("upgrade")), "{:?}", answer.headers);
    for (name, value) in [("sec-websocket-version", "99"), ("retry-after", "7")] {
        let answer = host.knock(&format!("/probe/x?refuse=426&header={name}:{value}")).refused(426).await;
        assert_eq!(answer.header(name), Some(value));
        assert_eq!(answer.text(), "refused on demand");
    }
    host.counts("connections refused", |counted| counted.connections_refused == 3).await;
}

#[tokio::test]
async fn a_refusal_does_not_say_how_long_it_is() {
    let host = TestHost::with(&["probe"]).await;
    for field in ["content-length:3", "transfer-encoding:chunked"] {
        let answer = host.knock(&format!("/probe/x?refuse=426&header={field}")).refused(500).await;
        assert!(!answer.text().contains("refused on demand"), "{field}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_refusal_does_not_rule_the_connection() {
    let host = TestHost::with(&["probe"]).await;
    for refused in ["426&header=connection:keep-alive", "403&header=connection:upgrade", "403&header=upgrade:websocket"]
    {
        let answer = host.knock(&format!("/probe/x?refuse={refused}")).refused(500).await;
        assert!(!answer.text().contains("refused on demand"), "{refused}: {}", answer.text());
    }
}
