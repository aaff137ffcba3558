//! Pages that stand in for what is not there: `not-found` and `fallback`.

use crate::harness::host::{Furnished, TestHost};

fn site() -> Furnished {
    TestHost::serving(&["echo"]).public(&[
        ("index.html", "the application"),
        ("404.html", "lost?"),
        ("app.js", "let it = be;"),
        (".env", "secret"),
        ("assets/a.css", "p {}"),
    ])
}

#[tokio::test]
async fn an_own_page_says_that_nothing_is_here() {
    let host = site().config(|config| config.not_found = Some("404.html".into())).start().await;
    for target in ["/nothing", "/nothing/at/all.js", "/.env", "/app.js/", "/%00"] {
        let answer = host.ask("GET", target).get().await;
        assert_eq!((answer.status, answer.text().as_str()), (404, "lost?"), "{target}");
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{target}");
        assert_eq!(answer.header("cache-control"), Some("no-cache"), "{target}");
        assert_eq!(answer.header("etag"), None, "{target}");
    }
    let head = host.ask("HEAD", "/nothing").get().await;
    assert_eq!((head.status, head.header("content-length")), (404, Some("5")));
    let part = host.ask("GET", "/nothing").header("range", "bytes=0-1").header("if-none-match", "*").get().await;
    assert_eq!((part.status, part.text().as_str()), (404, "lost?"));
    // It is a page like any other by its own name, and there is none for other methods.
    assert_eq!(host.ask("GET", "/404.html").get().await.status, 200);
    let post = host.ask("POST", "/nothing").get().await;
    assert_eq!((post.status, post.text().as_str()), (404, "nothing is here\n"));
}

#[tokio::test]
async fn a_single_page_application_has_all_paths_that_are_nobodys() {
    let host = site().config(|config| config.fallback = Some("/index.html".into())).start().await;
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for (target, accept, status) in [
        ("/rooms/7", Some(browser), 200),
        ("/rooms/7?tab=2", Some(browser), 200),
        ("/people/ann.smith", Some(browser), 200),
        ("/rooms/7", Some("*/*"), 200),
        ("/rooms/7", None, 200),
        // A page in the place of a script, a picture or data would only be a worse error.
        ("/old-build.js", Some("*/*"), 404),
        ("/old-build.js", None, 404),
        ("/picture", Some("image/avif,image/*"), 404),
        ("/api/rooms", Some("application/json"), 404),
        ("/rooms/7", Some("text/html;q=0, */*"), 404),
        ("/.env", Some(browser), 404),
    ] {
        let ask = host.ask("GET", target);
        let answer = match accept {
            Some(accept) => ask.header("accept", accept).get().await,
            None => ask.get().await,
        };
        assert_eq!(answer.status, status, "{target} {accept:?}");
        if status == 200 {
            assert_eq!(answer.text(), "the application", "{target}");
            assert_eq!((answer.header("vary"), answer.header("cache-control")), (Some("accept"), Some("no-cache")));
        }
    }
    assert_eq!(host.ask("GET", "/app.js").get().await.text(), "let it = be;", "files come first");
    assert_eq!(host.ask("GET", "/echo").header("accept", browser).get().await.status, 426, "so do controllers");
    assert_eq!(host.ask("POST", "/rooms/7").header("accept", browser).get().await.status, 404);
    assert_eq!(host.ask("HEAD", "/rooms/7").get().await.header("content-length"), Some("15"));
    let tag = host.ask("GET", "/rooms/7").get().await.header("etag").expect("a tag").to_owned();
    assert_eq!(host.ask("GET", "/rooms/8").header("if-none-match", &tag).get().await.status, 304);
}

#[tokio::test]
async fn both_pages_share_the_work() {
    let pages = |config: &mut lakou_host::Config| {
        config.fallback = Some("index.html".into());
        config.not_found = Some("404.html".into());
    };
    let host = site().config(pages).start().await;
    let route = host.ask("GET", "/rooms/7").get().await;
    assert_eq!((route.status, route.text().as_str()), (200, "the application"));
    let script = host.ask("GET", "/old-build.js").get().await;
    assert_eq!((script.status, script.text().as_str()), (404, "lost?"));
}

#[tokio::test]
async fn a_page_that_is_not_there_is_said_at_the_start() {
    let missing = site().config(|config| config.not_found = Some("oops.html".into())).try_start().await;
    let line = missing.err().expect("a page that is not there");
    assert!(line.starts_with("not-found: there is no file \"oops.html\" in "), "{line}");
    let outside = site().config(|config| config.fallback = Some("../secret.html".into())).try_start().await;
    assert!(outside.err().expect("a page outside").starts_with("fallback: there is no file "));
    let nowhere = TestHost::bare().config(|config| config.fallback = Some("index.html".into())).try_start().await;
    assert_eq!(nowhere.err().as_deref(), Some("fallback needs public: it is a page of that folder"));
    let no_folder = site().config(|config| config.public = Some("/dev/null".into())).try_start().await;
    assert_eq!(no_folder.err().as_deref(), Some("public: /dev/null: is not a folder"));
}
