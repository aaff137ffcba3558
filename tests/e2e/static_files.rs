//! What is served from the public folder, and what never is. `conditions` are validators and ranges, `pages` stand in for what
//! is not there, `representations` are type, caching and encodings, `outside` is what leads out.

use crate::harness::host::TestHost;

mod conditions;
mod outside;
mod pages;
mod representations;

const PAGE: &str = "<!doctype html><title>Lakou</title>";

async fn host() -> TestHost {
    TestHost::serving(&["echo"])
        .public(&[
            ("index.html", PAGE),
            ("app.js", "let it = be;"),
            ("style.css", "p {}"),
            ("picture.svg", "<svg/>"),
            ("data.json", "{}"),
            ("ten.txt", "0123456789"),
            ("deep/index.html", "deep down"),
            ("\\deep/index.html", "a name with a backslash"),
            ("with space.txt", "spacious"),
            ("echo", "never seen: the controller has this path"),
            ("../secret.txt", "outside"),
        ])
        .start()
        .await
}

#[tokio::test]
async fn the_root_is_the_index() {
    let host = host().await;
    for target in ["/", "/index.html", "/?query=ignored"] {
        let answer = host.ask("GET", target).get().await;
        assert_eq!((answer.status, answer.text().as_str()), (200, PAGE), "{target}");
    }
    assert_eq!(host.ask("GET", "/deep/").get().await.text(), "deep down");
}

#[tokio::test]
async fn a_folder_without_its_slash_is_sent_there() {
    let answer = host().await.ask("GET", "/deep").get().await;
    assert_eq!((answer.status, answer.header("location")), (307, Some("/deep/")));
}

#[tokio::test]
async fn a_redirect_stays_on_this_host_and_keeps_the_query() {
    let host = host().await;
    for (target, location) in [
        ("//deep", "/deep/"),
        ("///deep", "/deep/"),
        ("/deep?a=b&c=//d", "/deep/?a=b&c=//d"),
        ("//deep?q", "/deep/?q"),
        ("/%64eep", "/deep/"),
        ("//%5cdeep", "/%5Cdeep/"),
        ("/%5cdeep", "/%5Cdeep/"),
    ] {
        let answer = host.ask("GET", target).get().await;
        assert_eq!((answer.status, answer.header("location")), (307, Some(location)), "{target}");
    }
    // Several slashes are one everywhere.
    assert_eq!(host.ask("GET", "//deep/").get().await.text(), "deep down");
    assert_eq!(host.ask("GET", "//deep//index.html").get().await.text(), "deep down");
}

#[tokio::test]
async fn other_methods_are_told_which_are_possible() {
    let host = host().await;
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let answer = host.ask(method, "/ten.txt").get().await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{method}");
        assert_eq!(host.ask(method, "/nothing").get().await.status, 404, "{method}");
    }
}

#[tokio::test]
async fn types_are_told() {
    let host = host().await;
    for (target, kind) in [
        ("/", "text/html"),
        ("/app.js", "text/javascript"),
        ("/style.css", "text/css"),
        ("/picture.svg", "image/svg+xml"),
        ("/data.json", "application/json"),
        ("/ten.txt", "text/plain"),
    ] {
        let answer = host.ask("GET", target).get().await;
        let told = answer.header("content-type").unwrap_or_default();
        assert!(told.starts_with(kind), "{target}: {told}");
    }
}

#[tokio::test]
async fn head_has_the_headers_only() {
    let answer = host().await.ask("HEAD", "/ten.txt").get().await;
    assert_eq!((answer.status, answer.header("content-length")), (200, Some("10")));
}

#[tokio::test]
async fn names_are_decoded() {
    assert_eq!(host().await.ask("GET", "/with%20space.txt").get().await.text(), "spacious");
}

#[tokio::test]
async fn a_controller_comes_before_a_file() {
    assert_eq!(host().await.ask("GET", "/echo").get().await.status, 426);
}

#[tokio::test]
async fn nothing_outside_of_the_folder_is_served() {
    let host = host().await;
    for target in [
        "/../secret.txt",
        "/deep/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e%2fsecret.txt",
        "/deep/%2e%2e/%2e%2e/secret.txt",
        "/..%5csecret.txt",
        "/.%00./secret.txt",
        "//../secret.txt",
        "/....//secret.txt",
        "/%252e%252e/secret.txt",
    ] {
        let answer = host.ask("GET", target).get().await;
        assert!(!answer.text().contains("outside"), "{target}");
        assert!((300..500).contains(&answer.status), "{target}: {}", answer.status);
    }
}

#[tokio::test]
async fn what_is_not_there_is_404() {
    let host = host().await;
    for target in
        ["/nothing", "/nothing/", "/nothing/at/all", "/ten.txt/", "/ten.txt/more", "/deep/nothing", "/%00", "/a%00b"]
    {
        assert_eq!(host.ask("GET", target).get().await.status, 404, "{target}");
    }
}

#[tokio::test]
async fn without_a_folder_there_are_no_files() {
    assert_eq!(TestHost::with(&["echo"]).await.ask("GET", "/index.html").get().await.status, 404);
}
