//! Header fields of a refusal: all but those that say how long it is, or what becomes of the connection.

use crate::harness::host::TestHost;

#[tokio::test]
async fn a_refusal_may_name_what_it_wants() {
    let host = TestHost::with(&["probe"]).await;
    let answer = host.knock("/probe/x?refuse=426&header=upgrade:other-protocol").refused(426).await;
    assert_eq!(answer.header("upgrade"), Some("other-protocol"));
    assert!(answer.header("connection").is_some_and(|value| value.contains("upgrade")), "{:?}", answer.headers);
    for (name, value) in [("sec-websocket-version", "99"), ("retry-after", "7")] {
        let answer = host.knock(&format!("/probe/x?refuse=426&header={name}:{value}")).refused(426).await;
        assert_eq!(answer.header(name), Some(value));
        assert_eq!(answer.text(), "refused on demand");
    }
    host.counts("connections refused", |counted| counted.connections_refused == 3).await;
}

#[tokio::test]
async fn a_refusal_does_not_say_how_long_it_is() {
    let host = TestHost::with(&["probe"]).await;
    for field in ["content-length:3", "transfer-encoding:chunked"] {
        let answer = host.knock(&format!("/probe/x?refuse=426&header={field}")).refused(500).await;
        assert!(!answer.text().contains("refused on demand"), "{field}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_refusal_does_not_rule_the_connection() {
    let host = TestHost::with(&["probe"]).await;
    for refused in ["426&header=connection:keep-alive", "403&header=connection:upgrade", "403&header=upgrade:websocket"]
    {
        let answer = host.knock(&format!("/probe/x?refuse={refused}")).refused(500).await;
        assert!(!answer.text().contains("refused on demand"), "{refused}: {}", answer.text());
    }
}
