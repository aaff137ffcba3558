//! Header fields of a refusal: all but those that say how long it is.

use crate::harness::host::TestHost;

#[tokio::test]
async fn a_refusal_may_name_what_it_wants() {
    let host = TestHost::with(&["probe"]).await;
    for (name, value) in [("upgrade", "other-protocol"), ("sec-websocket-version", "99"), ("retry-after", "7")] {
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
