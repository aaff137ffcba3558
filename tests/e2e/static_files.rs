//! What is served from the public folder, and what never is.

use crate::harness::host::TestHost;

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
    assert!((300..400).contains(&answer.status), "{}", answer.status);
    assert!(answer.header("location").is_some_and(|value| value.ends_with("/deep/")));
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
async fn an_unchanged_file_is_not_sent_again() {
    let host = host().await;
    let first = host.ask("GET", "/ten.txt").get().await;
    let tag = first.header("etag").expect("an ETag");
    let second = host.ask("GET", "/ten.txt").header("if-none-match", tag).get().await;
    assert_eq!((second.status, second.body.len()), (304, 0));
    let third = host.ask("GET", "/ten.txt").header("if-none-match", "\"other\"").get().await;
    assert_eq!((third.status, third.text().as_str()), (200, "0123456789"));
    let several = format!("\"other\", {tag}");
    assert_eq!(host.ask("GET", "/ten.txt").header("if-none-match", &several).get().await.status, 304);
    assert_eq!(host.ask("GET", "/ten.txt").header("if-none-match", "*").get().await.status, 304);
}

#[tokio::test]
async fn a_date_does_not_count_beside_a_tag() {
    // Browsers send both; a file that has changed twice within a second is told apart by its tag only.
    let host = host().await;
    let first = host.ask("GET", "/ten.txt").get().await;
    let date = first.header("last-modified").expect("a date");
    let by_date = host.ask("GET", "/ten.txt").header("if-modified-since", date).get().await;
    assert_eq!(by_date.status, 304);
    let ask = host.ask("GET", "/ten.txt").header("if-modified-since", date).header("if-none-match", "\"other\"");
    assert_eq!(ask.get().await.status, 200);
}

#[tokio::test]
async fn a_greedy_request_does_not_multiply_a_file() {
    let host = host().await;
    let ranges = vec!["0-"; 1_000].join(",");
    let answer = host.ask("GET", "/ten.txt").header("range", &format!("bytes={ranges}")).get().await;
    assert!(answer.body.len() < 1_000, "{}: {} bytes of a file of 10", answer.status, answer.body.len());
}

#[tokio::test]
async fn a_part_can_be_asked_for() {
    let host = host().await;
    let part = host.ask("GET", "/ten.txt").header("range", "bytes=2-4").get().await;
    assert_eq!((part.status, part.text().as_str()), (206, "234"));
    assert_eq!(part.header("content-range"), Some("bytes 2-4/10"));
    let tail = host.ask("GET", "/ten.txt").header("range", "bytes=-3").get().await;
    assert_eq!((tail.status, tail.text().as_str()), (206, "789"));
    let beyond = host.ask("GET", "/ten.txt").header("range", "bytes=10-").get().await;
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */10")));
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
