//! Plain and wrong requests: the table of answers, and plain HTTP through a guest.

use crate::harness::binary::{self, Call};
use crate::harness::host::TestHost;
use crate::harness::raw::KEY;
use crate::harness::wait::within;
use serde_json::json;

#[tokio::test]
async fn nothing_there_is_404() {
    let host = TestHost::with(&["echo"]).await;
    for method in ["GET", "POST", "HEAD", "DELETE"] {
        assert_eq!(host.ask(method, "/nothing").get().await.status, 404, "{method}");
    }
    let answer = host.ask("GET", "/nothing").get().await;
    assert_eq!(answer.header("content-length"), Some("16"), "{:?}", answer.headers);
}

#[tokio::test]
async fn a_plain_request_to_a_websocket_is_426_and_says_upgrade() {
    let host = TestHost::with(&["echo"]).await;
    let answer = host.ask("GET", "/echo").get().await;
    assert_eq!(answer.status, 426);
    assert_eq!(answer.header("upgrade"), Some("websocket"));
    assert!(answer.header("connection").is_some_and(|value| value.to_ascii_lowercase().contains("upgrade")));
    assert!(!answer.body.is_empty(), "a person reads why");
}

#[tokio::test]
async fn another_method_is_405_and_says_which_is_allowed() {
    let host = TestHost::serving(&["echo"]).public(&[("page.html", "page")]).start().await;
    let answer = host.ask("POST", "/echo").body("x").get().await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET")));
    let answer = host.ask("POST", "/page.html").body("x").get().await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("allow").map(|value| value.replace(' ', "")).as_deref(), Some("GET,HEAD"));
}

#[tokio::test]
async fn a_handshake_of_another_version_is_426_and_says_which() {
    let host = TestHost::with(&["echo"]).await;
    for version in ["8", "12", "14", "thirteen", ""] {
        let answer = handshake(&host, &[("sec-websocket-version", version), ("sec-websocket-key", KEY)]).await;
        assert_eq!(answer.status, 426, "{version:?}");
        assert_eq!(answer.header("sec-websocket-version"), Some("13"));
    }
}

#[tokio::test]
async fn who_takes_whole_bodies_says_where_its_own_limit_is() {
    let call = Call::serve().guests(&["announce"]).anywhere().args(&["--max-body", "16MiB"]);
    let (binary, address) = call.listening().await;
    let body = vec![b'x'; (8 << 20) + 1];
    assert_eq!(binary::ask(address, "POST", "/announce").body(&body).get().await.status, 413);
    binary.logs(&["8388608 bytes", "413", "max-body"]).await;
    // By default the host's limit is the same, and the guest is not asked.
    let host = TestHost::with(&["announce"]).await;
    let mut client = host.dial().await;
    client.write(b"POST /announce HTTP/1.1\r\nhost: x\r\ncontent-length: 8388609\r\n\r\n").await;
    assert!(client.head().await.starts_with("HTTP/1.1 413 "));
    host.counts("the host's own limit", |counted| counted.bodies_too_large == 1).await;
}

#[tokio::test]
async fn a_wrong_handshake_is_400() {
    let host = TestHost::with(&["echo"]).await;
    let version = ("sec-websocket-version", "13");
    let wrong: &[&[(&str, &str)]] = &[
        &[version],
        &[version, ("sec-websocket-key", "")],
        &[version, ("sec-websocket-key", "not base64!")],
        &[version, ("sec-websocket-key", "c2hvcnQ=")],
        &[version, ("sec-websocket-key", "dG9vIGxvbmcsIHRvbyBsb25nLCB0b28gbG9uZw==")],
        &[version, ("sec-websocket-key", KEY), ("sec-websocket-key", KEY)],
    ];
    for headers in wrong {
        assert_eq!(handshake(&host, headers).await.status, 400, "{headers:?}");
    }
    assert_eq!(host.counted().connections_opened, 0);
}

async fn handshake(host: &TestHost, headers: &[(&str, &str)]) -> crate::harness::http::Answer {
    let mut ask = host.ask("GET", "/echo").header("connection", "Upgrade").header("upgrade", "websocket");
    for (name, value) in headers {
        ask = ask.header(name, value);
    }
    ask.send().await
}

#[tokio::test]
async fn a_handshake_may_be_spelled_otherwise() {
    let host = TestHost::with(&["echo"]).await;
    let mut client = host.dial().await;
    client
        .write(format!(
            "GET /echo HTTP/1.1\r\nHOST: a\r\nConnection: keep-alive, UPGRADE\r\nuPgRaDe: WebSocket\r\n\
             Sec-Websocket-Version: 13\r\nsec-websocket-key:{KEY}\r\n\r\n"
        ))
        .await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
}

#[tokio::test]
async fn a_handshake_by_post_is_refused() {
    let host = TestHost::with(&["echo"]).await;
    let answer = host
        .ask("POST", "/echo")
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", KEY)
        .send()
        .await;
    assert_eq!(answer.status, 405);
}

#[tokio::test]
async fn an_upgrade_to_something_else_is_a_plain_request() {
    let host = TestHost::with(&["probe"]).await;
    let ask = host.ask("GET", "/probe/x").header("connection", "Upgrade, HTTP2-Settings").header("upgrade", "h2c");
    assert_eq!(ask.send().await.json()["path"], "/probe/x");
}

#[tokio::test]
async fn a_foreign_origin_is_403() {
    let host = TestHost::with(&["echo"]).await;
    let own = format!("http://{}", host.address);
    host.knock("/echo").origin(&own).open().await.exchange("hi", "hi").await;
    host.connect("/echo").await.exchange("no origin", "no origin").await;
    let neighbour = format!("http://{}:1", host.address.ip());
    for origin in
        ["https://evil.example", "null", "http://localhost", neighbour.as_str(), &format!("{own}.evil.example")]
    {
        host.knock("/echo").origin(origin).refused(403).await;
    }
    assert!(host.counted().connections_refused >= 5);
}

#[tokio::test]
async fn listed_origins_are_let_in_and_no_others() {
    let host = TestHost::serving(&["echo", "probe"])
        .config(|config| {
            config.origins = vec!["https://app.example".into()];
            config.overrides.entry("probe".into()).or_default().origins = Some(vec!["https://probe.example".into()]);
        })
        .start()
        .await;
    host.knock("/echo").origin("https://app.example").open().await.exchange("hi", "hi").await;
    host.knock("/probe/x").origin("https://probe.example").open().await.exchange("echo hi", "hi").await;
    for origin in ["http://app.example", "https://app.example:8443", "https://app.example.evil.example"] {
        host.knock("/echo").origin(origin).refused(403).await;
    }
    host.knock("/probe/x").origin("https://app.example").refused(403).await;
}

#[tokio::test]
async fn a_star_lets_every_origin_in() {
    let host = TestHost::serving(&["echo"]).config(|config| config.origins = vec!["*".into()]).start().await;
    for origin in ["https://anywhere.example", "null"] {
        host.knock("/echo").origin(origin).open().await.exchange("hi", "hi").await;
    }
}

#[tokio::test]
async fn over_capacity_is_503_until_somebody_leaves() {
    let host = TestHost::serving(&["echo"])
        .config(|config| (config.max_connections, config.guest.connections) = (2, Some(2)))
        .start()
        .await;
    let first = host.connect("/echo").await;
    let mut second = host.connect("/echo").await;
    let answer = host.knock("/echo").refused(503).await;
    assert!(answer.header("retry-after").is_some(), "says when to come back");
    second.exchange("hi", "hi").await;
    first.leave().await;
    // The place is free a moment after the goodbye.
    within("the free place", async { while host.ask("GET", "/echo").get().await.status == 503 {} }).await;
    assert!(host.counted().over_capacity >= 1);
}

#[tokio::test]
async fn a_guest_answers_plain_requests_on_its_path() {
    let host = TestHost::with(&["probe"]).await;
    let answer = host.ask("PUT", "/probe/a%20b?c=d").body("content").get().await;
    assert_eq!(answer.status, 200);
    let uri = format!("http://{}/probe/a%20b?c=d", host.address);
    let shown = json!({ "method": "PUT", "uri": uri, "path": "/probe/a%20b", "query": "c=d", "body": "content" });
    assert_eq!(answer.json(), shown);
    assert!(host.counted().http_requests >= 1);
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let host = TestHost::with(&["probe"]).await;
    let mut exchange = host.ask("GET", "/probe/0").begin().await;
    for number in 1..4 {
        let head = exchange.head().await;
        let answer = exchange.body(head).await;
        assert_eq!(answer.json()["path"], format!("/probe/{}", number - 1));
        exchange.write(format!("GET /probe/{number} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
    }
}

#[tokio::test]
async fn nonsense_is_400_or_the_end() {
    let host = TestHost::with(&["echo"]).await;
    for nonsense in
        ["\x16\x03\x01\x02\0\x01\0\x01\u{7f}\x03\x03\r\n\r\n", "HELLO\r\n\r\n", "GET /\r\n\r\n", "\0\0\0\0\r\n\r\n"]
    {
        let mut client = host.dial().await;
        client.write(nonsense).await;
        client.finish().await;
        let answer = client.expect_end().await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{nonsense:?}: {answer}");
    }
    host.connect("/echo").await.exchange("hi", "hi").await;
}
