//! `examples/relay`: a feed from another server, handed on to all clients.

use crate::harness::feed::Feed;
use crate::harness::host::TestHost;
use crate::harness::wait::eventually;

/// A host that relays a feed.
async fn relaying(feed: &Feed) -> TestHost {
    let (url, granted) = (feed.url("/feed"), feed.url("").parse().expect("a destination"));
    let host = TestHost::serving(&["relay"]).config(|config| {
        let relay = config.overrides.entry("relay".into()).or_default();
        relay.grants.websocket = vec![granted];
        relay.grants.config.insert("feed".into(), url.as_str().into());
    });
    host.start().await
}

#[tokio::test]
async fn what_the_feed_says_reaches_all_clients_by_one_connection() {
    let feed = Feed::start().await;
    let host = relaying(&feed).await;
    let mut clients = [host.connect("/relay").await, host.connect("/relay").await, host.connect("/relay").await];
    eventually("the feed has a listener", || feed.listeners() == 1).await;
    clients[0].say("lies").await;
    for price in ["12.5", "13"] {
        feed.say(price);
        for client in &mut clients {
            client.expect(price).await;
        }
    }
    assert_eq!((feed.visits(), host.counted().outward), (1, 1));
}

#[tokio::test]
async fn a_feed_that_was_killed_and_came_back_is_heard_again() {
    let mut feed = Feed::start().await;
    let host = relaying(&feed).await;
    let mut client = host.connect("/relay").await;
    for round in 0..2 {
        eventually("the feed has a listener", || feed.listeners() == 1).await;
        feed.say(&format!("before {round}"));
        client.expect(&format!("before {round}")).await;
        feed.go_away().await;
        host.counts("it is tried in vain", |counted| counted.outward_failed > round).await;
        feed.come_back().await;
    }
    eventually("the feed has a listener", || feed.listeners() == 1).await;
    feed.say("after");
    client.expect("after").await;
}

#[tokio::test]
async fn it_is_loaded_only_with_a_grant() {
    let host = TestHost::with(&["relay"]).await;
    assert!(host.mounts.is_empty() && host.rejected[0].contains("websocket = ["), "{:?}", host.rejected);
}
