//! Which controller a path reaches, and what the guest is told of the request.

use crate::harness::guests;
use crate::harness::host::{Furnished, TestHost};
use serde_json::{Value, json};

/// Three copies of the probe, told apart by the parameters of their patterns.
fn three(patterns: [&str; 3]) -> Furnished {
    let names = ["probe", "spare", "third"];
    let mut furnished = TestHost::bare();
    for (name, pattern) in names.into_iter().zip(patterns) {
        furnished = furnished.file(&format!("{name}.wasm"), guests::renamed("probe", name)).config(|config| {
            config.overrides.entry(name.into()).or_default().path = Some(pattern.into());
        });
    }
    furnished
}

/// What the guest on `target` was shown.
async fn shown(host: &TestHost, target: &str) -> Value {
    let mut client = host.connect(target).await;
    client.say("request").await;
    // Those who were shown something before may be leaving, and the siblings are told.
    loop {
        let heard = client.hear_text().await;
        if !heard.starts_with("told left ") {
            return serde_json::from_str(&heard).expect("JSON");
        }
    }
}

#[tokio::test]
async fn literal_before_parameter_before_rest() {
    let host = three(["/a/b", "/a/{one}", "/a/{*rest}"]).start().await;
    assert!(host.rejected.is_empty(), "{:?}", host.rejected);
    assert_eq!(shown(&host, "/a/b").await["params"], json!([]));
    assert_eq!(shown(&host, "/a/c").await["params"], json!([["one", "c"]]));
    assert_eq!(shown(&host, "/a/b/c").await["params"], json!([["rest", "b/c"]]));
    assert_eq!(shown(&host, "/a/x/y/z").await["params"], json!([["rest", "x/y/z"]]));
}

#[tokio::test]
async fn parameters_keep_the_patterns_order() {
    let host = three(["/{b}/in/{a}", "/{b}/at/{*a}", "/fixed"]).start().await;
    assert_eq!(shown(&host, "/1/in/2").await["params"], json!([["b", "1"], ["a", "2"]]));
    assert_eq!(shown(&host, "/1/at/2/3").await["params"], json!([["b", "1"], ["a", "2/3"]]));
}

#[tokio::test]
async fn parameters_are_decoded_after_the_path_is_split() {
    let host = three(["/one/{x}", "/rest/{*x}", "/fixed"]).start().await;
    for (target, value) in [
        ("/one/caf%C3%A9", "café"),
        ("/one/a%2Fb", "a/b"),
        ("/one/a%20b+c", "a b+c"),
        ("/one/%25", "%"),
        ("/one/%2e%2e", ".."),
        ("/rest/a/b%2Fc/d", "a/b/c/d"),
    ] {
        let shown = shown(&host, target).await;
        assert_eq!(shown["params"], json!([["x", value]]), "{target}");
        assert_eq!(shown["path"], target, "the path stays as it was sent");
    }
}

#[tokio::test]
async fn bad_percent_encoding_is_a_bad_request() {
    let host = three(["/one/{x}", "/rest/{*x}", "/fixed"]).start().await;
    for target in ["/one/%", "/one/%4", "/one/%zz", "/one/%C3%28", "/one/%ff", "/rest/a/%C3"] {
        assert_eq!(host.ask("GET", target).get().await.status, 400, "{target}");
        host.knock(target).refused(400).await;
    }
}

#[tokio::test]
async fn the_query_is_passed_on_as_it_is() {
    let host = TestHost::with(&["probe"]).await;
    assert_eq!(shown(&host, "/probe/x?a=%20b&c&a=%zz").await["query"], "a=%20b&c&a=%zz");
    assert_eq!(shown(&host, "/probe/x?").await["query"], "");
    assert_eq!(shown(&host, "/probe/x").await["query"], Value::Null);
    assert_eq!(shown(&host, "/probe/x?a?b").await["query"], "a?b");
}

#[tokio::test]
async fn headers_and_address_are_passed_on() {
    let host = TestHost::with(&["probe"]).await;
    let mut client = host.knock("/probe/x").header("X-Twice", "1").header("x-twice", "2").open().await;
    client.say("request").await;
    let shown = client.expect_json().await;
    let headers = shown["headers"].as_array().expect("an array");
    let twice: Vec<_> = headers.iter().filter(|field| field[0] == "x-twice").map(|field| &field[1]).collect();
    assert_eq!(twice, ["1", "2"]);
    assert_eq!(shown["method"], "GET");
    let remote = shown["remote"].as_str().expect("TCP has addresses");
    assert!(remote.starts_with("127.0.0.1:"), "{remote}");
}

#[tokio::test]
async fn what_no_pattern_matches_is_not_found() {
    let host = three(["/one/{x}", "/rest/{*x}", "/fixed"]).start().await;
    for target in ["/", "/one", "/one/", "/one/a/b", "/fixed/", "/fixe", "/Fixed", "//fixed", "/nothing"] {
        assert_eq!(host.ask("GET", target).get().await.status, 404, "{target}");
        host.knock(target).refused(404).await;
    }
}

#[tokio::test]
async fn a_controller_can_have_the_root() {
    let host = three(["/", "/a", "/b"]).start().await;
    assert_eq!(shown(&host, "/").await["path"], "/");
    assert_eq!(shown(&host, "/?x").await["query"], "x");
}

#[tokio::test]
async fn a_literal_that_leads_nowhere_is_no_dead_end() {
    let host = three(["/x/lit/a", "/x/{p}/b", "/{*rest}"]).start().await;
    assert!(host.rejected.is_empty(), "{:?}", host.rejected);
    assert_eq!(shown(&host, "/x/lit/a").await["params"], json!([]));
    assert_eq!(shown(&host, "/x/lit/b").await["params"], json!([["p", "lit"]]));
    assert_eq!(shown(&host, "/x/lit/c").await["params"], json!([["rest", "x/lit/c"]]));
}
