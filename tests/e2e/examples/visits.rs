//! `examples/visits`: a count of each page, which begins anew if it is configured to. That values outlive the host is
//! shown in `host_services`.

use crate::harness::host::{Furnished, TestHost};
use crate::harness::ws::WsClient;
use serde_json::json;

fn counting() -> Furnished {
    TestHost::serving(&["visits"]).config(|config| {
        config.messaging = Vec::new();
        config.overrides.entry("visits".into()).or_default().grants.keyvalue = true;
    })
}

async fn visited(client: &mut WsClient, count: u32) {
    assert_eq!(client.expect_json().await, json!({ "event": "visited", "count": count }));
}

#[tokio::test]
async fn everybody_on_a_page_sees_it_count() {
    let host = counting().start().await;
    let mut one = host.connect("/visits/home").await;
    visited(&mut one, 1).await;
    let mut other = host.connect("/visits/about/us").await;
    visited(&mut other, 1).await;
    let mut two = host.connect("/visits/home").await;
    visited(&mut two, 2).await;
    visited(&mut one, 2).await;
    let list = host.ask("GET", "/visits/").get().await;
    assert_eq!((list.status, list.text().as_str()), (200, "about/us 1\nhome 2\n"));
}

#[tokio::test]
async fn a_count_begins_anew_with_its_window() {
    let host = counting().config(|config| {
        let visits = config.overrides.entry("visits".into()).or_default();
        visits.grants.config.insert("window".into(), "1".into());
    });
    let host = host.start().await;
    visited(&mut host.connect("/visits/home").await, 1).await;
    loop {
        let count = host.connect("/visits/home").await.expect_json().await["count"].clone();
        if count == 1 {
            return;
        }
    }
}
