//! HTTP requests of guests: to where they are granted, and nowhere else, whatever the spelling and whoever sends them there.

use crate::harness::binary::{Call, connect};
use crate::harness::host::TestHost;
use crate::harness::logs;
use crate::harness::web::{SecureWeb, Web};
use std::time::Duration;

const NOT_GRANTED: &str = "denied: this destination is not granted, see the host's log";
const NOT_THIS_ADDRESS: &str = "denied: the address of this destination is not granted, see the host's log";

/// A host whose guest may call these.
async fn host(granted: &[&str]) -> TestHost {
    let granted: Vec<_> = granted.iter().map(|entry| entry.parse().expect("a destination")).collect();
    TestHost::serving(&["calls-out", "echo"])
        .config(|config| {
            config.overrides.entry("calls-out".into()).or_default().grants.http = granted;
            config.guest.call_time = Duration::from_secs(2);
        })
        .start()
        .await
}

#[tokio::test]
async fn without_a_grant_it_is_loaded_and_each_request_is_denied() {
    let web = Web::start().await;
    let call = Call::serve().guests(&["calls-out"]).file("lakou.toml", "").anywhere();
    let (binary, address) = call.listening().await;
    let mut client = connect(address, "/calls-out").await;
    client.exchange(&format!("GET {}/say/hello", web.url()), NOT_GRANTED).await;
    let grant = format!("http = [\"{}\"]", web.url());
    binary.logs(&["calls-out", "denied", &grant, "[controller.calls-out]"]).await;
    let host = host(&[]).await;
    let mut client = host.connect("/calls-out").await;
    client.exchange(&format!("GET {}/say/hello", web.url()), NOT_GRANTED).await;
    assert_eq!((web.visits(), host.counted().denied, host.counted().outgoing_requests), (0, 1, 0));
}

#[tokio::test]
async fn every_use_of_a_socket_is_denied_and_the_log_says_what_to_use_instead() {
    logs::collect();
    let web = Web::start().await;
    let host = TestHost::serving(&["dials-out", "echo"])
        .config(|config| config.overrides.entry("dials-out".into()).or_default().log_rate = Some(5))
        .start()
        .await;
    assert_eq!(host.mounts.len(), 2, "{:?}", host.rejected);
    let mut client = host.connect("/dials-out").await;
    for (command, what) in [
        (format!("connect {}", web.address), "a TCP socket"),
        ("listen 127.0.0.1:0".to_owned(), "a TCP socket"),
        ("datagram 127.0.0.1:0".to_owned(), "a UDP socket"),
        ("look-up localhost:80".to_owned(), "the addresses of localhost"),
    ] {
        client.say(&command).await;
        client.expect_start("out of reach").await;
        logs::expect(&["dials-out", "denied: ", what, "wasi:http/outgoing-handler", "websocket = [", "lakou.toml"])
            .await;
    }
    assert_eq!((web.visits(), host.counted().denied), (0, 4));
    for _ in 0..20 {
        client.exchange(&format!("connect {}", web.address), "out of reach: PermissionDenied").await;
    }
    assert_eq!(host.counted().denied, 24);
    assert!(host.counted().limits["dials-out"]["log-rate"] > 0, "the log is bounded: {:?}", host.counted());
}

#[tokio::test]
async fn what_is_granted_is_reached() {
    let web = Web::start().await;
    let host = host(&[&web.url()]).await;
    let mut client = host.connect("/calls-out").await;
    client.exchange(&format!("GET {}/say/hello", web.url()), "200 hello").await;
    client.exchange(&format!("GET {}/nothing", web.url()), "404 ").await;
    client.say(&format!("PUT {}/echo?a=b some text", web.url())).await;
    let echoed = client.hear_text().await;
    let host_line = format!("host: {}\r\n", web.address);
    for line in [
        "200 PUT /echo?a=b HTTP/1.1\r\n",
        &host_line,
        "x-from: a guest\r\n",
        "content-length: 9\r\n",
        "\r\n\r\nsome text",
    ] {
        assert!(echoed.contains(line), "{line:?}: {echoed:?}");
    }
    assert_eq!((web.visits(), host.counted().outgoing_requests, host.counted().denied), (3, 3, 0));
}

#[tokio::test]
async fn a_loopback_address_is_out_of_reach_under_every_spelling() {
    let web = Web::start().await;
    let port = web.address.port();
    let spellings = [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "127.000.000.001",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "0.0.0.0",
        "0",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
    ];
    // Granted is something else, and in the second case everything that is public.
    for (granted, refusals) in [
        (vec!["https://api.example.org"], vec![NOT_GRANTED]),
        (vec!["http://*:*", "https://*:*"], vec![NOT_THIS_ADDRESS, "unavailable: ErrorCode::DnsError"]),
    ] {
        let host = host(&granted).await;
        let mut client = host.connect("/calls-out").await;
        for spelling in spellings {
            client.say(&format!("GET http://{spelling}:{port}/say/hello")).await;
            let answer = client.hear_text().await;
            let fits = refusals.iter().any(|refusal| answer.starts_with(refusal)) || answer.starts_with("invalid: ");
            assert!(fits, "{granted:?} {spelling}: {answer}");
        }
        let counted = host.counted();
        assert!(counted.denied >= 10 && counted.outgoing_prohibited <= counted.denied, "{counted:?}");
    }
    assert_eq!(web.visits(), 0);
}

#[tokio::test]
async fn other_ports_schemes_and_names_are_other_destinations() {
    let (web, other) = (Web::start().await, Web::start().await);
    let host = host(&[&web.url()]).await;
    let mut client = host.connect("/calls-out").await;
    client.exchange(&format!("GET {}/say/hello", other.url()), NOT_GRANTED).await;
    client.exchange(&format!("GET {}/say/hello", web.url().replace("http:", "https:")), NOT_GRANTED).await;
    client.exchange(&format!("GET {}/say/hello", web.at("localhost")), NOT_GRANTED).await;
    for odd in
        [format!("http://{}@{}/", web.address, other.address), format!("http://{}@{}/", other.address, web.address)]
    {
        client.say(&format!("GET {odd}")).await;
        let answer = client.hear_text().await;
        assert!(answer.starts_with("invalid: "), "{odd}: {answer}");
    }
    assert_eq!((web.visits(), other.visits()), (0, 0));
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_its_target_is_judged_anew() {
    let (web, inside) = (Web::start().await, Web::start().await);
    let host = host(&[&web.url(), "http://*:*"]).await;
    let mut client = host.connect("/calls-out").await;
    for target in [inside.url(), inside.at("localhost"), inside.at("2130706433")] {
        let target = format!("{target}/say/secret");
        client.exchange(&format!("GET {}/to?{target}", web.url()), &format!("302 {target}")).await;
        client.say(&format!("GET {target}")).await;
        let answer = client.hear_text().await;
        assert!(answer == NOT_THIS_ADDRESS || answer.starts_with("unavailable: ErrorCode::DnsError"), "{answer}");
    }
    assert_eq!((web.visits(), inside.visits()), (3, 0));
}

#[tokio::test]
async fn a_name_that_is_at_loopback_has_to_be_listed_as_such() {
    let web = Web::start().await;
    let granted = [
        (vec![web.at("localhost")], true),
        (vec![web.at("*")], false),
        (vec![format!("{} private", web.at("*"))], false),
        (vec![format!("{} loopback", web.at("*"))], true),
        (vec![web.url()], false),
    ];
    for (granted, reached) in granted {
        let host = host(&granted.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let mut client = host.connect("/calls-out").await;
        client.say(&format!("GET {}/say/hello", web.at("localhost"))).await;
        let answer = client.hear_text().await;
        assert_eq!(answer == "200 hello", reached, "{granted:?}: {answer}");
        assert!(reached || answer.starts_with("denied: "), "{granted:?}: {answer}");
    }
    assert_eq!(web.visits(), 2);
}

#[tokio::test]
async fn what_does_not_come_is_not_waited_for_for_ever() {
    let web = Web::start().await;
    let host = host(&[&web.url()]).await;
    let mut bystander = host.connect("/echo").await;
    let mut client = host.connect("/calls-out").await;
    client.say(&format!("GET {}/half", web.url())).await;
    client.expect_start("unavailable: the answer has broken off").await;
    client.say(&format!("GET {}/head", web.url())).await;
    client.expect_start("unavailable: ErrorCode::HttpResponseHeaderSectionSize").await;
    for path in ["silence", "stall"] {
        let mut client = host.connect("/calls-out").await;
        client.say(&format!("GET {}/{path}", web.url())).await;
        bystander.exchange("meanwhile", "meanwhile").await;
        // Whichever of the two limits, of the same length, is the first to end: that of the wait, or that of the call.
        let heard = client.hear().await;
        assert!(
            heard.is_close() || heard.to_text().is_ok_and(|text| text.starts_with("unavailable: ")),
            "{path}: {heard:?}"
        );
    }
    let nobody = host.counted().time_exceeded;
    assert!(nobody <= 2, "{:?}", host.counted());
}

#[tokio::test]
async fn only_so_many_requests_are_under_way_at_a_time() {
    let web = Web::start().await;
    let host = host(&[&web.url()]).await;
    let mut client = host.connect("/calls-out").await;
    client.exchange(&format!("burst 20 {}", web.address), "4 refused").await;
    client.exchange(&format!("GET {}/say/hello", web.url()), "200 hello").await;
    assert!(web.visits() <= 17, "{}", web.visits());
    assert_eq!(host.counted().limits["calls-out"]["max-outgoing"], 4);
}

#[tokio::test]
async fn certificates_are_looked_at() {
    let web = SecureWeb::start();
    let settings = |port: u16| {
        let granted = format!("http = [\"https://127.0.0.1:{port}\", \"https://localhost:{port}\"]");
        format!("[controller.calls-out]\n{granted}\ncall-time = \"5s\"\n")
    };
    let authority = web.authority.to_str().expect("a path in UTF-8");
    let trusting = Call::serve().guests(&["calls-out"]).file("lakou.toml", &settings(web.port)).anywhere();
    let (_trusting, address) = trusting.env("SSL_CERT_FILE", authority).listening().await;
    let mut client = connect(address, "/calls-out").await;
    for host in ["127.0.0.1", "localhost"] {
        client.say(&format!("GET https://{host}:{}/", web.port)).await;
        client.expect_start("200 ").await;
    }
    // Another authority.
    let other = SecureWeb::start();
    let wary = Call::serve().guests(&["calls-out"]).file("lakou.toml", &settings(web.port)).anywhere();
    let (_wary, address) = wary.env("SSL_CERT_FILE", other.authority.to_str().expect("UTF-8")).listening().await;
    let mut client = connect(address, "/calls-out").await;
    client
        .exchange(&format!("GET https://localhost:{}/", web.port), "unavailable: ErrorCode::TlsCertificateError")
        .await;
}

#[tokio::test]
async fn a_denial_is_a_line_in_the_log() {
    let settings = "[controller.calls-out]\nhttp = [\"https://*.example.org\"]\n";
    let call = Call::serve().guests(&["calls-out"]).file("lakou.toml", settings).anywhere();
    let (binary, address) = call.listening().await;
    let mut client = connect(address, "/calls-out").await;
    client.exchange("GET http://127.0.0.1:9/", NOT_GRANTED).await;
    binary.logs(&["calls-out", "denied", "http = [\"http://127.0.0.1:9\"]", "[controller.calls-out]"]).await;
}
