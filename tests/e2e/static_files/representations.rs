//! How a file is sent: its type and charset, how long it may be kept, and in which encoding.

use super::host;
use crate::harness::binary::{Call, ask};
use crate::harness::host::TestHost;
use std::fs;
use std::time::{Duration, SystemTime};

#[tokio::test]
async fn text_has_a_charset() {
    let host = TestHost::bare()
        .public(&[
            ("a.html", "<p>é"),
            ("old.html", "<meta charset=\"iso-8859-1\">"),
            ("a.txt", "é"),
            ("a.css", "p::before { content: 'é' }"),
            ("a.js", "'é'"),
            ("a.svg", "<svg/>"),
            ("latin.svg", "<?xml version='1.0' encoding='iso-8859-1'?><svg/>"),
            ("a.csv", "é"),
            ("a.md", "é"),
            ("a.json", "{}"),
            ("a.png", ""),
        ])
        .in_public(|public| fs::write(public.join("wide.txt"), b"\xff\xfe\xe9\0").expect("the test's own folder"))
        .start()
        .await;
    for (target, media) in [
        ("/a.html", "text/html; charset=utf-8"),
        ("/old.html", "text/html"),
        ("/a.txt", "text/plain; charset=utf-8"),
        ("/wide.txt", "text/plain; charset=utf-16"),
        ("/a.css", "text/css; charset=utf-8"),
        ("/a.js", "text/javascript; charset=utf-8"),
        ("/a.svg", "image/svg+xml; charset=utf-8"),
        ("/latin.svg", "image/svg+xml"),
        ("/a.csv", "text/csv; charset=utf-8"),
        ("/a.md", "text/markdown; charset=utf-8"),
        ("/a.json", "application/json"),
        ("/a.png", "image/png"),
    ] {
        assert_eq!(host.ask("GET", target).get().await.header("content-type"), Some(media), "{target}");
    }
}

#[tokio::test]
async fn files_are_kept_as_the_setting_says() {
    let kept = |answer: &crate::harness::http::Answer| answer.header("cache-control").map(str::to_owned);
    let host = host().await;
    let tag = host.ask("GET", "/ten.txt").get().await.header("etag").expect("a tag").to_owned();
    assert_eq!(kept(&host.ask("GET", "/ten.txt").get().await).as_deref(), Some("no-cache"));
    let unchanged = host.ask("GET", "/ten.txt").header("if-none-match", &tag).get().await;
    assert_eq!((unchanged.status, kept(&unchanged).as_deref()), (304, Some("no-cache")));
    let part = host.ask("GET", "/ten.txt").header("range", "bytes=0-1").get().await;
    assert_eq!((part.status, kept(&part).as_deref()), (206, Some("no-cache")));

    let call = Call::serve().guests(&["echo"]).file("public/a.js", "1").file("public/404.html", "lost?");
    let call = call.args(&["--cache-control", "public, max-age=60", "--not-found", "404.html"]);
    let (_binary, address) = call.listening().await;
    let answer = ask(address, "GET", "/a.js").get().await;
    assert_eq!((answer.status, kept(&answer).as_deref()), (200, Some("public, max-age=60")));
    let lost = ask(address, "GET", "/b.js").get().await;
    assert_eq!((lost.status, kept(&lost).as_deref(), lost.text().as_str()), (404, Some("no-cache"), "lost?"));

    let silent = TestHost::bare().public(&[("a.js", "1")]).config(|config| config.cache_control = String::new());
    assert_eq!(kept(&silent.start().await.ask("GET", "/a.js").get().await), None);
    let lines = Call::serve().guests(&["echo"]).args(&["--cache-control", "max-age=60\nset-cookie: a"]).fails().await;
    assert!(lines.iter().any(|line| line.contains("--cache-control") && line.contains("header field")), "{lines:?}");
}

#[tokio::test]
async fn a_compressed_sibling_is_sent_to_who_takes_it() {
    let host = TestHost::bare()
        .public(&[
            ("app.js", "plain"),
            ("app.js.gz", "gzipped"),
            ("app.js.br", "brotli!!"),
            ("only.css", "plain"),
            ("only.css.gz", "gzipped"),
            ("none.txt", "plain"),
            ("index.html", "plain"),
            ("index.html.br", "brotli!!"),
        ])
        .start()
        .await;
    let mut tags = Vec::new();
    for (target, accept, encoding, content) in [
        ("/app.js", "", None, "plain"),
        ("/app.js", "gzip, deflate, br, zstd", Some("br"), "brotli!!"),
        ("/app.js", "gzip", Some("gzip"), "gzipped"),
        ("/app.js", "br;q=0.5, gzip;q=0.8", Some("gzip"), "gzipped"),
        ("/app.js", "gzip;q=0", None, "plain"),
        ("/app.js", "br;q=0, *", Some("gzip"), "gzipped"),
        ("/app.js", "gzip;q=0.5, identity", None, "plain"),
        ("/only.css", "gzip, br", Some("gzip"), "gzipped"),
        ("/only.css", "br", None, "plain"),
        ("/none.txt", "gzip, br", None, "plain"),
        ("/", "gzip, br", Some("br"), "brotli!!"),
    ] {
        let answer = host.ask("GET", target).header("accept-encoding", accept).get().await;
        let got = (answer.status, answer.header("content-encoding"), answer.text());
        assert_eq!(got, (200, encoding, content.to_owned()), "{target} {accept}");
        let varies = (target != "/none.txt").then_some("accept-encoding");
        assert_eq!(answer.header("vary"), varies, "{target} {accept}");
        assert_eq!(answer.header("content-length"), Some(content.len().to_string().as_str()));
        let plain = host.ask("GET", target).get().await;
        assert_eq!(answer.header("content-type"), plain.header("content-type"), "{target}: the type is the file's");
        if target == "/app.js" {
            tags.push((encoding, answer.header("etag").expect("a tag").to_owned()));
        }
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 3, "one tag for each encoding: {tags:?}");
    let gzipped = &tags[2].1;
    let again = host.ask("GET", "/app.js").header("accept-encoding", "gzip").header("if-none-match", gzipped);
    let again = again.get().await;
    assert_eq!((again.status, again.header("vary")), (304, Some("accept-encoding")));
    let part = host.ask("GET", "/app.js").header("accept-encoding", "gzip").header("range", "bytes=0-3").get().await;
    assert_eq!((part.status, part.text().as_str(), part.header("content-range")), (206, "gzip", Some("bytes 0-3/7")));
    assert_eq!(part.header("content-encoding"), Some("gzip"));
    let mixed = host.ask("GET", "/app.js").header("range", "bytes=0-3").header("if-range", gzipped).get().await;
    assert_eq!((mixed.status, mixed.text().as_str()), (200, "plain"), "parts of two encodings are not one file");
    let head = host.ask("HEAD", "/app.js").header("accept-encoding", "gzip").get().await;
    assert_eq!((head.header("content-encoding"), head.header("content-length")), (Some("gzip"), Some("7")));
}

#[tokio::test]
async fn a_compressed_sibling_of_an_older_file_is_not_sent() {
    let host = TestHost::bare().public(&[("app.js.gz", "gzipped"), ("app.js", "plain")]).start().await;
    let ask = || host.ask("GET", "/app.js").header("accept-encoding", "gzip").get();
    assert_eq!(ask().await.text(), "gzipped");
    let sibling = fs::File::options().write(true).open(host.public().join("app.js.gz")).expect("a file");
    sibling.set_modified(SystemTime::now() - Duration::from_secs(60)).expect("a time");
    let answer = ask().await;
    assert_eq!(
        (answer.text().as_str(), answer.header("content-encoding"), answer.header("vary")),
        ("plain", None, None)
    );
}
