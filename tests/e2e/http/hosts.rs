//! Whom a request is for, and which pages may connect: authorities as RFC 9112 has them, names that are not this server's, and
//! what a trusted proxy says.

use crate::harness::binary::{self, Call, raw};
use crate::harness::frames::{Frame, TEXT};
use crate::harness::host::TestHost;
use crate::harness::raw::{KEY, RawClient, handshake};
use lakou_host::Config;
use serde_json::Value;
use std::net::SocketAddr;

/// The status of the answer to what is written by hand.
async fn status(client: &mut RawClient, request: &str) -> u16 {
    client.write(request).await;
    let head = client.head().await;
    head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{head}"))
}

/// What a guest is shown of a request that is written by hand.
async fn shown(host: &TestHost, request: &str) -> Value {
    let mut client = host.dial().await;
    client.write(request).await;
    let answer = String::from_utf8(client.expect_end().await).expect("JSON is text");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// What the guest `probe` was shown of the request for an open WebSocket.
async fn asked(client: &mut RawClient) -> String {
    client.send(Frame::new(TEXT, "request")).await;
    String::from_utf8(client.hear().await.expect("an answer").payload).expect("text")
}

#[tokio::test]
async fn a_host_that_is_none_is_400() {
    let host = TestHost::serving(&["probe"]).public(&[("page.html", "page")]).start().await;
    for field in ["a b", "a/b", "[::1", "a:b:c", "a:99999", "", "me@a", "a?b"] {
        for path in ["/probe/x", "/page.html", "/nothing"] {
            let request = format!("GET {path} HTTP/1.1\r\nhost: {field}\r\nconnection: close\r\n\r\n");
            assert_eq!(status(&mut host.dial().await, &request).await, 400, "{field:?} for {path}");
        }
    }
    assert_eq!(host.counted().requests_malformed, 24);
    let request = "GET http://me@a/probe/x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    assert_eq!(status(&mut host.dial().await, request).await, 400);
}

#[tokio::test]
async fn the_request_line_wins_and_the_field_follows() {
    let host = TestHost::with(&["probe"]).await;
    let request = "GET http://Line.example:81/probe/x?q HTTP/1.1\r\nhost: field.example\r\nconnection: close\r\n\r\n";
    let shown = shown(&host, request).await;
    assert_eq!(shown["uri"], "http://line.example:81/probe/x?q");
    let mut client = host.dial().await;
    let request = handshake("/probe/x", "").replace("GET /probe/x", "GET http://line.example/probe/x");
    assert_eq!(status(&mut client, &request).await, 101);
    assert!(asked(&mut client).await.contains(r#"["host","line.example"]"#));
}

#[tokio::test]
async fn without_a_host_http_1_0_is_for_the_address_that_it_has_reached() {
    let host = TestHost::with(&["probe"]).await;
    let shown = shown(&host, "GET /probe/x HTTP/1.0\r\n\r\n").await;
    assert_eq!(shown["uri"], format!("http://{}/probe/x", host.address));
}

#[tokio::test]
async fn who_has_said_all_it_will_gets_the_answer() {
    let host = TestHost::serving(&["plain-http"]).public(&[("page.html", "page")]).start().await;
    for (path, last) in [("/plain-http", "3\n\r\n0\r\n\r\n"), ("/page.html", "page")] {
        let mut client = host.dial().await;
        client.write(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        client.finish().await;
        let answer = String::from_utf8(client.expect_end().await).expect("text");
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(last), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn a_head_of_one_byte_too_many_is_431() {
    let host = TestHost::serving(&["probe"]).config(|config| config.max_header = 16 * 1024).start().await;
    let of = |length: usize| {
        let head =
            |filler: &str| format!("GET /probe/x HTTP/1.1\r\nhost: x\r\nconnection: close\r\nfiller: {filler}\r\n\r\n");
        head(&"f".repeat(length - head("").len()))
    };
    assert_eq!(status(&mut host.dial().await, &of(16 * 1024)).await, 200);
    for length in [16 * 1024 + 1, 17 * 1024, 20 * 1024] {
        assert_eq!(status(&mut host.dial().await, &of(length)).await, 431, "{length}");
    }
    host.counts("each", |counted| counted.headers_too_large == 3).await;
}

#[tokio::test]
async fn a_request_for_a_websocket_has_no_body() {
    let host = TestHost::with(&["echo"]).await;
    for field in ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"] {
        let request = handshake("/echo", field);
        assert_eq!(status(&mut host.dial().await, &request).await, 400, "{field}");
    }
    assert_eq!(status(&mut host.dial().await, &handshake("/echo", "Content-Length: 0\r\n")).await, 101);
}

/// Asks for a WebSocket as a page would, and gives the status.
async fn page(address: SocketAddr, host: &str, origins: &[&str], more: &str) -> u16 {
    let origins: String = origins.iter().map(|origin| format!("origin: {origin}\r\n")).collect();
    let mut client = RawClient::dial(address).await;
    let head = format!(
        "GET /echo HTTP/1.1\r\nhost: {host}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: {KEY}\r\n{origins}{more}\r\n"
    );
    status(&mut client, &head).await
}

#[tokio::test]
async fn a_name_that_is_rebound_to_this_machine_is_not_its_own() {
    let (binary, address) = Call::serve().guests(&["echo"]).anywhere().listening().await;
    let port = address.port();
    for own in [format!("localhost:{port}"), format!("127.0.0.1:{port}"), format!("app.localhost:{port}")] {
        assert_eq!(page(address, &own, &[&format!("http://{own}")], "").await, 101, "{own}");
    }
    let rebound = format!("rebound.example:{port}");
    assert_eq!(page(address, &rebound, &[&format!("http://{rebound}")], "").await, 403);
    binary.logs(&["403", &rebound, "`hosts`"]).await;
    // Who is no browser says whatever it likes.
    raw(address, "/echo").await;

    let call = Call::serve().guests(&["echo"]).anywhere().args(&["--hosts", "*.example, localhost"]);
    let (_binary, address) = call.listening().await;
    let (named, port) = (format!("chat.example:{}", address.port()), address.port());
    assert_eq!(page(address, &named, &[&format!("http://{named}")], "").await, 101);
    assert_eq!(page(address, &format!("localhost:{port}"), &[], "").await, 101);
    assert_eq!(page(address, "other.test", &[], "").await, 421);
}

#[tokio::test]
async fn who_asks_for_another_host_is_421() {
    let call = Call::serve().guests(&["echo"]).file("public/index.html", "welcome").anywhere();
    let (binary, address) = call.args(&["--hosts", "example.org"]).listening().await;
    for (host, expected) in
        [("example.org", 200), ("Example.ORG:8000", 200), ("other.example", 421), ("127.0.0.1", 421)]
    {
        let request = format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        assert_eq!(status(&mut RawClient::dial(address).await, &request).await, expected, "{host}");
    }
    binary.logs(&["421", "other.example", "`hosts`"]).await;
    assert_eq!(status(&mut RawClient::dial(address).await, "GET / HTTP/1.0\r\n\r\n").await, 200, "it names none");
    let lines = Call::serve().anywhere().args(&["--hosts", "https://example.org"]).fails().await;
    assert!(lines.iter().any(|line| line.contains("--hosts") && line.contains("*.example.org")), "{lines:?}");
}

#[tokio::test]
async fn an_origin_is_scheme_host_and_port_and_there_is_one() {
    let host = TestHost::serving(&["echo"])
        .config(|config| config.origins = vec!["https://*.example.org".into()])
        .start()
        .await;
    let own = host.address.to_string();
    let same = format!("http://{own}");
    for (origins, expected) in [
        (vec![same.as_str()], 101),
        (vec!["https://app.example.org"], 101),
        (vec!["https://a.b.example.org"], 101),
        (vec!["https://example.org"], 403),
        (vec!["http://app.example.org"], 403),
        (vec![same.as_str(), same.as_str()], 403),
        (vec!["https://app.example.org", "https://evil.example"], 403),
    ] {
        assert_eq!(page(host.address, &own, &origins, "").await, expected, "{origins:?}");
    }
    assert_eq!(page(host.address, &own, &[&format!("https://{own}")], "").await, 403, "another scheme");
}

#[tokio::test]
async fn a_proxy_that_does_not_pass_the_host_is_told_from_the_log() {
    let (binary, address) = Call::serve().guests(&["echo"]).anywhere().listening().await;
    // As nginx does by itself: the upstream's name.
    assert_eq!(page(address, &address.to_string(), &["https://chat.example"], "").await, 403);
    binary.logs(&["https://chat.example", &format!("http://{address}"), "proxy_set_header Host", "`origins`"]).await;
}

#[tokio::test]
async fn a_trusted_proxy_says_host_and_scheme() {
    let trusting = |config: &mut Config| {
        config.trusted_proxies = vec!["127.0.0.1".parse::<std::net::IpAddr>().expect("an address").into()]
    };
    let host = TestHost::serving(&["echo", "probe"]).config(trusting).start().await;
    let said = "x-forwarded-for: 192.0.2.1\r\nx-forwarded-host: chat.example\r\nx-forwarded-proto: https\r\n";
    let upstream = host.address.to_string();
    assert_eq!(page(host.address, &upstream, &["https://chat.example"], said).await, 101);
    assert_eq!(page(host.address, &upstream, &["http://chat.example"], said).await, 403, "another scheme");
    let other = "x-forwarded-for: 192.0.2.1\r\n";
    assert_eq!(page(host.address, "chat.example", &["http://chat.example"], other).await, 101, "it passes Host");
    let request = format!("GET /probe/x HTTP/1.1\r\nhost: {upstream}\r\nconnection: close\r\n{said}\r\n");
    let shown = shown(&host, &request).await;
    assert_eq!(shown["uri"], "https://chat.example/probe/x");
    let mut client = host.dial().await;
    assert_eq!(status(&mut client, &handshake("/probe/x", said)).await, 101);
    assert!(asked(&mut client).await.contains(r#"["host","chat.example"]"#));

    // Anybody else's word is not taken.
    let host = TestHost::with(&["echo"]).await;
    assert_eq!(page(host.address, &host.address.to_string(), &["https://chat.example"], said).await, 403);
}

#[tokio::test]
async fn on_loopback_any_host_may_be_asked_for_pages() {
    let call = Call::serve().guests(&["echo"]).file("public/index.html", "welcome").anywhere();
    let (_binary, address) = call.listening().await;
    assert_eq!(binary::ask(address, "GET", "/").get().await.status, 200);
    let request = "GET / HTTP/1.1\r\nhost: anything.example\r\nconnection: close\r\n\r\n";
    assert_eq!(status(&mut RawClient::dial(address).await, request).await, 200);
}
