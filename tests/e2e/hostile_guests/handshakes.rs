//! Answers and closes that no client should ever see.

use super::Scene;

/// A handshake that is answered with 500, because of what the log says.
async fn no_answer(name: &str, deed: &str, words: &str) {
    let mut scene = Scene::new(name).await;
    scene.refused(deed, 500).await;
    crate::harness::logs::expect(&["500: ", words]).await;
    assert_eq!(scene.host.counted().connections_refused, 1);
    scene.leaves_nothing().await;
}

#[tokio::test]
async fn refuses_with_an_enormous_body() {
    let mut scene = Scene::new("refuses-with-an-enormous-body").await;
    scene.refused("connect-refuse-enormously", 500).await;
    scene.stopped_by("max-handover").await;
    scene.leaves_nothing().await;
}

#[tokio::test]
async fn refuses_with_enormous_headers() {
    let words = "connect refused with 100 header fields of ";
    no_answer("refuses-with-enormous-headers", "connect-refuse-with-enormous-headers", words).await;
}

#[tokio::test]
async fn accepts_with_enormous_headers() {
    let words = "connect accepted with 100 header fields of ";
    no_answer("accepts-with-enormous-headers", "connect-accept-with-enormous-headers", words).await;
}

#[tokio::test]
async fn refuses_with_bad_header_names() {
    no_answer("refuses-with-bad-header-names", "connect-refuse-with-bad-names", "is no header name").await;
}

#[tokio::test]
async fn refuses_with_bad_header_values() {
    no_answer("refuses-with-bad-header-values", "connect-refuse-with-bad-values", "the value of x-split").await;
}

#[tokio::test]
async fn accepts_with_a_bad_subprotocol() {
    let words = "connect accepted with subprotocol";
    no_answer("accepts-with-a-bad-subprotocol", "connect-accept-with-a-bad-subprotocol", words).await;
}

#[tokio::test]
async fn closes_with_bad_codes() {
    let mut scene = Scene::new("closes-with-bad-codes").await;
    assert_eq!(scene.says("codes").await, "taken: [] false");
}
