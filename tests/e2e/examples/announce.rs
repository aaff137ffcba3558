//! `examples/announce`: posted over plain HTTP, received by everybody who is connected.

use crate::harness::guests;
use crate::harness::host::TestHost;

#[tokio::test]
async fn what_is_posted_is_received() {
    let host = TestHost::with(&["announce"]).await;
    let mut one = host.connect("/announce").await;
    let mut two = host.connect("/announce").await;
    for text in ["Dinner is ready", "Manje pare 🍲"] {
        let answer = host.ask("POST", "/announce").body(text).get().await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        one.expect(text).await;
        two.expect(text).await;
    }
}

#[tokio::test]
async fn other_requests_are_told_what_to_do() {
    let host = TestHost::with(&["announce"]).await;
    let usage = host.ask("GET", "/announce").get().await;
    assert_eq!(usage.status, 200);
    assert!(usage.text().contains("POST"));
    assert_eq!(host.ask("HEAD", "/announce").get().await.status, 200);
    let wrong = host.ask("DELETE", "/announce").get().await;
    assert_eq!(wrong.status, 405);
    assert!(wrong.header("allow").is_some_and(|allowed| allowed.contains("POST")));
    assert_eq!(host.ask("POST", "/announce").body(b"\xff").get().await.status, 400);
}

#[tokio::test]
async fn a_controller_under_another_name_reaches_its_own_connections() {
    let bulletin = guests::under_the_name(&guests::wasm("announce"), "announce", "news");
    let host = TestHost::serving(&["echo"]).file("news.wasm", bulletin).start().await;
    assert!(host.mounts.iter().any(|line| line.starts_with("news ")), "{:?}", host.mounts);
    let mut one = host.connect("/announce").await;
    assert_eq!(host.ask("POST", "/announce").body("Dinner").get().await.status, 202);
    one.expect("Dinner").await;
    assert_eq!(host.counted().denied, 0);
}
