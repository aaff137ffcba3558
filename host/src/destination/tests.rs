//! What an entry lets through, and what it never does.

use super::*;

fn entry(text: &str) -> Destination {
    text.parse().unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn target(url: &str) -> Target {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let scheme = Scheme::of(scheme).expect("a scheme");
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().expect("a port")),
        _ => (rest, scheme.port()),
    };
    Target { scheme, host: Host::of(host).expect("a host"), port }
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn an_entry_names_scheme_host_and_port() {
    let cases = [
        ("https://api.example.org", "https://api.example.org", true),
        ("https://api.example.org", "https://API.Example.ORG.:443", true),
        ("https://api.example.org/", "https://api.example.org", true),
        ("https://api.example.org", "http://api.example.org", false),
        ("https://api.example.org", "http://api.example.org:443", false),
        ("https://api.example.org", "https://api.example.org:8443", false),
        ("https://api.example.org", "https://example.org", false),
        ("https://api.example.org", "https://api.example.org.evil.net", false),
        ("https://*.example.org", "https://a.b.example.org", true),
        ("https://*.example.org", "https://example.org", false),
        ("https://*.example.org", "https://notexample.org", false),
        ("https://*.example.org:8443", "https://a.example.org", false),
        ("https://*.example.org:*", "https://a.example.org:1", true),
        ("https://*.0.0.1", "https://127.0.0.1", false),
        ("https://*", "https://example.org", true),
        ("https://*", "https://93.184.216.34", true),
        ("https://*", "https://example.org:8443", false),
        ("wss://feed.example.org", "wss://feed.example.org:443", true),
        ("wss://feed.example.org", "https://feed.example.org", false),
        ("ws://*:*", "wss://feed.example.org", false),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000", true),
        ("http://127.0.0.1:9000", "http://127.1:9000", false),
        ("http://127.0.0.1:9000", "http://2130706433:9000", false),
        ("http://127.0.0.1:9000", "http://[::ffff:127.0.0.1]:9000", false),
        ("http://127.0.0.1:9000", "http://localhost:9000", false),
        ("http://[::1]:9000", "http://[::1]:9000", true),
        ("http://[::1]", "http://[0:0:0:0:0:0:0:1]", true),
    ];
    for (listed, asked, named) in cases {
        assert_eq!(entry(listed).names(&target(asked)), named, "{listed} {asked}");
    }
}

#[test]
fn names_lead_to_public_addresses() {
    for public in ["93.184.216.34", "1.1.1.1", "2606:2800:21f:cb07::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"] {
        for listed in ["https://api.example.org", "https://*.example.org", "https://*", "https://x private"] {
            assert!(entry(listed).allows(address(public)), "{listed} {public}");
        }
    }
}

#[test]
fn other_addresses_have_to_be_listed() {
    let loopback = ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"];
    let private =
        ["10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "fd00::1", "::ffff:10.0.0.1"];
    let never = [
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",
        "fd00:ec2::254",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "198.18.0.1",
        "192.0.2.1",
        "::",
        "::2",
        "::127.0.0.1",
        "fe80::1",
        "ff02::1",
        "2002:7f00:1::",
        "2001::1",
        "2001:db8::1",
        "64:ff9b:1::1",
        "fec0::1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "4000::1",
    ];
    let by_name = ["https://api.example.org", "https://*.example.org", "https://*"];
    let all = loopback.iter().chain(&private).chain(&never);
    for found in all.clone() {
        for listed in by_name {
            assert!(!entry(listed).allows(address(found)), "{listed} {found}");
        }
    }
    for found in all {
        let allowed = |listed: &str| entry(listed).allows(address(found));
        assert_eq!(allowed("http://x loopback"), loopback.contains(found), "{found}");
        assert_eq!(allowed("http://localhost"), loopback.contains(found), "{found}");
        assert_eq!(allowed("http://x private"), private.contains(found), "{found}");
        assert_eq!(allowed("http://x private loopback"), !never.contains(found), "{found}");
    }
}

#[test]
fn a_listed_address_is_that_address() {
    let listed = entry("http://169.254.169.254");
    assert!(listed.allows(address("169.254.169.254")));
    assert!(!listed.allows(address("169.254.169.253")) && !listed.allows(address("127.0.0.1")));
}

#[test]
fn what_is_no_destination_is_refused() {
    let wrong = [
        "",
        "example.org",
        "ftp://example.org",
        "https://",
        "https://example.org/path",
        "https://example.org:0",
        "https://example.org:99999",
        "https://exa*mple.org",
        "https://*example.org",
        "https://*.",
        "https://user@example.org",
        "https://exämple.org",
        "http://[::1",
        "http://[::1]x",
        "http://x nearby",
        "http://127.0.0.1 loopback",
        "http://0.0.0.0",
        "http://224.0.0.1",
        "http://[::]",
        "http://255.255.255.255",
        "https:// example.org",
    ];
    for text in wrong {
        let error = text.parse::<Destination>().expect_err(text);
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn a_target_is_shown_as_it_would_be_listed() {
    for url in ["https://example.org", "http://127.0.0.1:9000", "http://[::1]:9000"] {
        assert_eq!(target(url).to_string(), url);
    }
}

#[test]
fn a_uri_says_where_it_goes_and_no_more() {
    let of = |uri: &str| Target::of(&uri.parse().expect("a URI")).map(|target| target.to_string());
    for (uri, target) in [
        ("https://API.example.org/x", Some("https://api.example.org")),
        ("ws://[::1]:81/", Some("ws://[::1]:81")),
        ("ws://[::1]/", Some("ws://[::1]")),
        ("http://a.org:80", Some("http://a.org")),
        ("http://a.org:/", None),
        ("http://a.org:99999/", None),
        ("http://b@a.org/", None),
        ("ftp://a.org/", None),
        ("/x", None),
    ] {
        assert_eq!(of(uri).as_deref(), target, "{uri}");
    }
}
