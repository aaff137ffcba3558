//! Whom a controller may address: its own without a grant, all others with one. The probe's commands are answered by `ok` or by
//! the fault.

use crate::harness::binary::{Call, connect};
use crate::harness::guests;
use crate::harness::host::TestHost;
use crate::harness::ws::WsClient;

/// A host of two probes, the first of which has these grants and the other none.
async fn host(granted: &[&str]) -> TestHost {
    let granted: Vec<_> = granted.iter().map(|entry| entry.parse().expect("an addressee")).collect();
    TestHost::serving(&["probe"])
        .file("spare.wasm", guests::renamed("probe", "spare"))
        .config(|config| {
            config.messaging = Vec::new();
            config.overrides.entry("probe".into()).or_default().grants.messaging = Some(granted);
        })
        .start()
        .await
}

async fn denied(client: &mut WsClient, command: &str, grant: &str) {
    let fault = format!("denied: not granted: messaging = [\"{grant}\"] in [controller.probe] of lakou.toml");
    client.exchange(command, &fault).await;
}

#[tokio::test]
async fn ones_own_needs_no_grant() {
    let host = host(&[]).await;
    let mut one = host.connect("/probe/x").await;
    let mut two = host.connect("/probe/x").await;
    two.say("id").await;
    let id = two.hear_text().await;
    one.exchange("broadcast hello", "ok").await;
    two.expect("told hello").await;
    one.exchange(&format!("unicast {id} psst"), "ok").await;
    two.expect("told psst").await;
    for topic in ["probe", "probe/news", "probe:news"] {
        two.exchange(&format!("subscribe {topic}"), "ok").await;
        one.exchange(&format!("publish {topic} hello"), "ok").await;
        two.expect("hello").await;
    }
    let mut other = host.connect("/spare/x").await;
    other.say("id").await;
    let id = other.hear_text().await;
    one.exchange(&format!("unicast {id} psst"), "ok").await;
    other.expect("told psst").await;
    assert_eq!(host.counted().denied, 0);
}

#[tokio::test]
async fn others_need_one_and_the_fault_says_which() {
    let host = host(&[]).await;
    let mut client = host.connect("/probe/x").await;
    let mut other = host.connect("/spare/x").await;
    other.exchange("subscribe spare/news", "ok").await;
    denied(&mut client, "multicast hello", "all").await;
    denied(&mut client, "multicast-to-all hello", "all").await;
    denied(&mut client, "broadcast-to spare hello", "controller:spare").await;
    denied(&mut client, "subscribe spare/news", "topic:spare/news").await;
    denied(&mut client, "publish spare/news forged", "topic:spare/news").await;
    denied(&mut client, "publish probes forged", "topic:probes").await;
    other.exchange("echo silence", "silence").await;
    assert_eq!(host.counted().denied, 6);
    assert_eq!((host.counted().published, host.counted().events_emitted), (0, 0));
}

#[tokio::test]
async fn what_is_granted_is_addressed() {
    let host = host(&["controller:sp*", "topic:spare/*"]).await;
    let mut client = host.connect("/probe/x").await;
    let mut other = host.connect("/spare/x").await;
    other.exchange("subscribe spare/news", "ok").await;
    client.exchange("publish spare/news hello", "ok").await;
    other.expect("hello").await;
    client.exchange("broadcast-to spare hello", "ok").await;
    other.expect("told hello").await;
    denied(&mut client, "multicast hello", "all").await;
    denied(&mut client, "publish spare hello", "topic:spare").await;
}

/// A host whose guest of identities has these grants.
async fn post(granted: &[&str]) -> TestHost {
    let granted: Vec<_> = granted.iter().map(|entry| entry.parse().expect("an addressee")).collect();
    TestHost::serving(&["postbox"])
        .config(|config| {
            config.messaging = Vec::new();
            config.overrides.entry("postbox".into()).or_default().grants.messaging = Some(granted);
        })
        .start()
        .await
}

#[tokio::test]
async fn ones_own_identities_need_no_grant() {
    let host = post(&[]).await;
    let mut client = host.connect("/postbox/x").await;
    for identity in ["postbox", "postbox:ann", "postbox/ann"] {
        client.exchange(&format!("register {identity}"), "ok").await;
        client.exchange(&format!("registered {identity}"), "true").await;
        assert_eq!(host.ask("POST", &format!("/postbox/notify?{identity}")).body("hello").get().await.text(), "true");
        let noted = client.hear_text().await;
        assert!(noted.starts_with(&format!("{identity} ")) && noted.ends_with(" hello"), "{noted}");
        client.exchange(&format!("unregister {identity}"), "ok").await;
    }
    assert_eq!(host.counted().denied, 0);
}

#[tokio::test]
async fn other_identities_need_one() {
    let host = post(&["identity:user:*", "topic:*"]).await;
    let mut client = host.connect("/postbox/x").await;
    client.exchange("register user:ann", "ok").await;
    let fault = |name: &str| {
        format!("denied: not granted: messaging = [\"identity:{name}\"] in [controller.postbox] of lakou.toml")
    };
    for name in ["ann", "users", "spare:ann", "postbox-2:ann"] {
        for command in ["register", "unregister", "registered", "notify"] {
            client.exchange(&format!("{command} {name} hello"), &fault(name)).await;
        }
        let answer = host.ask("POST", &format!("/postbox/notify?{name}")).body("hello").get().await;
        assert_eq!(answer.text(), fault(name));
    }
    assert_eq!(host.counted().denied, 20);
    // A denied registration has left nothing of the one that is granted undone.
    client.exchange("registered user:ann", "true").await;
}

#[tokio::test]
async fn a_denial_is_a_line_in_the_log() {
    let settings = "messaging = [\"topic:news\"]\n[controller.probe]\nmessaging = []\n";
    let call = Call::serve().guests(&["probe"]).file("lakou.toml", settings).anywhere();
    let (binary, address) = call.listening().await;
    let mut client = connect(address, "/probe/x").await;
    denied(&mut client, "publish news hello", "topic:news").await;
    binary.logs(&["probe", "connection=", "denied", "messaging = [\"topic:news\"]"]).await;
}

#[tokio::test]
async fn the_examples_need_no_grants_for_messaging() {
    let names = ["chat", "ticker", "whisper", "announce", "notifications"];
    let host = TestHost::serving(&names).config(|config| config.messaging = Vec::new()).start().await;
    let mut ticker = host.connect("/ticker/ABC").await;
    ticker.say(r#"{"event":"quote","price":12.5}"#).await;
    ticker.expect(r#"{"price":12.5,"symbol":"ABC"}"#).await;
    let mut tab = host.connect("/notifications/ann").await;
    tab.expect(r#"{"event":"welcome"}"#).await;
    assert_eq!(host.ask("POST", "/notifications/ann").body("tea").get().await.status, 202);
    assert!(tab.hear_text().await.contains("tea"));
    let mut listener = host.connect("/announce").await;
    assert_eq!(host.ask("POST", "/announce").body("dinner").get().await.status, 202);
    listener.expect("dinner").await;
    let mut ann = host.connect("/chat/lobby?name=ann").await;
    ann.say(r#"{"event":"say","text":"hi"}"#).await;
    assert!(ann.hear_text().await.contains("hi"));
    assert_eq!(host.counted().denied, 0);
}
