//! A guest that keeps the socket of a connection that has ended: it is gone for every purpose.

use crate::harness::host::TestHost;

const GONE: &str = "the connection has ended";

#[tokio::test]
async fn a_socket_kept_beyond_its_end_is_gone() {
    let host = TestHost::with(&["probe"]).await;
    let mut sibling = host.connect("/probe/x").await;
    let mut leaving = host.connect("/probe/x?topic=news").await;
    leaving.exchange("keep", "kept").await;
    sibling.exchange("subscribe-kept late", "ok").await;
    leaving.close(1000, "").await;
    sibling.expect_start("told left 1000").await;
    for topic in ["news", "late", "later"] {
        sibling.exchange(&format!("subscribe-kept {topic}"), GONE).await;
        sibling.exchange(&format!("publish {topic} nobody hears it"), "ok").await;
    }
    sibling.exchange("send-kept word", GONE).await;
    sibling.exchange("subscribe news", "ok").await;
    sibling.say("publish news heard").await;
    sibling.expect("heard").await;
    sibling.expect("ok").await;
    assert_eq!(host.counted().slow_clients, 0);
}

#[tokio::test]
async fn no_number_of_kept_sockets_fills_the_topics_of_the_living() {
    let host = TestHost::serving(&["probe"]).config(|config| config.max_topics = 2).start().await;
    let mut sibling = host.connect("/probe/x").await;
    for round in 0..20 {
        let mut leaving = host.connect("/probe/x").await;
        leaving.exchange("keep", "kept").await;
        leaving.leave().await;
        sibling.expect_start("told left 1000").await;
        // Each topic more than it may have, and none of them counts.
        for topic in 0..4 {
            sibling.exchange(&format!("subscribe-kept {round} {topic}"), GONE).await;
        }
    }
    sibling.exchange("subscribe one", "ok").await;
    sibling.exchange("subscribe two", "ok").await;
}
