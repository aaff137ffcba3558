//! `examples/weather`: another server is asked, if the operator has granted it.

use crate::harness::host::TestHost;
use crate::harness::web::Web;
use serde_json::json;

/// A host with another service, which may be called or not.
async fn host(web: &Web, path: &str, granted: &str) -> TestHost {
    let (service, granted) = (format!("{}{path}", web.url()), granted.parse().expect("a destination"));
    let host = TestHost::serving(&["weather"]).config(|config| {
        let weather = config.overrides.entry("weather".into()).or_default();
        weather.grants.http = vec![granted];
        weather.grants.config.insert("service".into(), service.as_str().into());
    });
    host.start().await
}

#[tokio::test]
async fn the_service_is_asked() {
    let web = Web::start().await;
    let host = host(&web, "/weather", &web.url()).await;
    let mut client = host.connect("/weather/18.54/-72.34").await;
    for _ in 0..2 {
        client.say(r#"{"event":"now"}"#).await;
        assert_eq!(client.expect_json().await, json!({ "event": "weather", "celsius": 31.5 }));
    }
    assert_eq!(web.visits(), 2);
}

#[tokio::test]
async fn without_an_answer_it_is_unknown() {
    let web = Web::start().await;
    for (path, granted) in [("/nothing", web.url()), ("/say/x", web.url()), ("/weather", "https://example.org".into())]
    {
        let host = host(&web, path, &granted).await;
        let mut client = host.connect("/weather/18.54/-72.34").await;
        client.say(r#"{"event":"now"}"#).await;
        assert_eq!(client.expect_json().await, json!({ "event": "unknown" }));
    }
    assert_eq!(web.visits(), 2);
}

#[tokio::test]
async fn without_a_grant_it_asks_nobody_and_what_is_no_place_is_refused() {
    let host = TestHost::with(&["weather"]).await;
    let mut client = host.connect("/weather/18.54/-72.34").await;
    client.say(r#"{"event":"now"}"#).await;
    assert_eq!(client.expect_json().await, json!({ "event": "unknown" }));
    assert_eq!((host.counted().denied, host.counted().outgoing_requests), (1, 0));
    let web = Web::start().await;
    let host = self::host(&web, "", &web.url()).await;
    host.knock("/weather/91/0").refused(400).await;
}
