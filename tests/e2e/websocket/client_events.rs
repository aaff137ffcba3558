//! JSON messages of clients as calls of methods. What does not fit is counted and never traps; what is no call at all
//! goes to `message`, as every other message does.

use crate::harness::binary::{Call, connect};
use crate::harness::host::TestHost;
use tokio_tungstenite::tungstenite::Message;

/// Sends `text` and waits until it is counted as a misfit; the client hears nothing and stays.
async fn does_not_fit(host: &TestHost, client: &mut crate::harness::ws::WsClient, text: &str) {
    let before = host.counted().misfits;
    client.say(text).await;
    client.exchange("echo still here", "still here").await;
    host.counts(text, |counted| counted.misfits == before + 1).await;
}

#[tokio::test]
async fn a_call_reaches_its_method() {
    let host = TestHost::with(&["probe"]).await;
    let mut client = host.connect("/probe/x").await;
    for (call, answer) in [
        (r#"{"event":"hail","name":"bob","times":2}"#, "hail bob 2"),
        (r#"{"times":3,"name":"bob","event":"hail"}"#, "hail bob 3"),
        (r#" { "event" : "hail" , "name" : "Zo\u00eb" } "#, "hail Zoë 1"),
        (r#"{"event":"hail","name":"bob","times":null}"#, "hail bob 1"),
        (r#"{"event":"hail","name":"bob","colour":"blue","deep":{"er":[1]}}"#, "hail bob 1"),
        ("\n\t{\"event\":\"hail\",\"name\":\"\"}", "hail  1"),
        (r#"{"ev\u0065nt":"h\u0061il","n\u0061me":"escaped"}"#, "hail escaped 1"),
    ] {
        client.exchange(call, answer).await;
    }
    assert_eq!(host.counted().misfits, 0);
}

#[tokio::test]
async fn a_call_that_does_not_fit_is_counted() {
    let host = TestHost::with(&["probe"]).await;
    let mut client = host.connect("/probe/x").await;
    for call in [
        r#"{"event":"hail"}"#,
        r#"{"event":"hail","name":null}"#,
        r#"{"event":"hail","name":7}"#,
        r#"{"event":"hail","name":["bob"]}"#,
        r#"{"event":"hail","name":"bob","times":-1}"#,
        r#"{"event":"hail","name":"bob","times":1e99}"#,
        r#"{"event":"hail","name":"bob","times":4294967296}"#,
        r#"{"event":"unheard_of","name":"bob"}"#,
        r#"{"event":""}"#,
        r#"{"event":"message"}"#,
        r#"{"event":"close"}"#,
    ] {
        does_not_fit(&host, &mut client, call).await;
    }
}

#[tokio::test]
async fn a_method_for_servers_is_closed_to_clients() {
    let host = TestHost::with(&["probe"]).await;
    let mut client = host.connect("/probe/x").await;
    does_not_fit(&host, &mut client, r#"{"event":"tell","word":"forged"}"#).await;
    does_not_fit(&host, &mut client, r#"{"event":"number","sender":"forged","number":1}"#).await;
}

#[tokio::test]
async fn a_method_for_clients_is_open_to_servers() {
    let host = TestHost::with(&["probe"]).await;
    let mut sender = host.connect("/probe/x").await;
    let mut receiver = host.connect("/probe/x").await;
    sender.exchange(r#"named hail ["bob",4]"#, "ok").await;
    receiver.expect("hail bob 4").await;
}

#[tokio::test]
async fn an_event_that_does_not_fit_is_counted_once_a_receiver_or_once() {
    let host = TestHost::with(&["probe"]).await;
    let mut sender = host.connect("/probe/x").await;
    let mut receiver = host.connect("/probe/x").await;
    for (round, event) in
        ["tell []", "tell [1]", r#"tell ["a","b"]"#, "tell {}", "tell", "tell [", "tell null", "number [\"a\",-1]"]
            .iter()
            .enumerate()
    {
        sender.exchange(&format!("named {event}"), "ok").await;
        host.counts(event, |counted| counted.misfits == round as u64 + 1).await;
        receiver.exchange("echo still here", "still here").await;
    }
    assert_eq!(host.counted().traps, 0);
}

#[tokio::test]
async fn what_is_no_call_is_a_message() {
    let host = TestHost::with(&["probe"]).await;
    let mut client = host.connect("/probe/x").await;
    for text in
        ["{", "{}", r#"{"event":5}"#, r#"{"event":null}"#, r#"[{"event":"hail"}]"#, r#""hail""#, r#"{"event":"hail""#]
    {
        client.say(text).await;
        let answer = client.hear_text().await;
        assert!(answer.starts_with("no command "), "{text}: {answer}");
    }
    let call = r#"{"event":"hail","name":"bob"}"#;
    client.send(Message::binary(call.as_bytes().to_vec())).await;
    client.expect_bytes(call.as_bytes()).await;
    assert_eq!(host.counted().misfits, 0);
}

#[tokio::test]
async fn a_class_without_such_methods_gets_everything() {
    let host = TestHost::with(&["echo"]).await;
    let call = r#"{"event":"say","text":"hi"}"#;
    host.connect("/echo").await.exchange(call, call).await;
    assert_eq!(host.counted().misfits, 0);
}

#[tokio::test]
async fn deep_nesting_does_not_trap() {
    let host = TestHost::with(&["probe"]).await;
    let mut client = host.connect("/probe/x").await;
    let deep = format!(r#"{{"event":"hail","name":"bob","deep":{}{}}}"#, "[".repeat(50_000), "]".repeat(50_000));
    client.say(&deep).await;
    client.hear_text().await;
    assert_eq!(host.counted().traps, 0);
}

#[tokio::test]
async fn a_misfit_is_logged_with_its_connection() {
    let (binary, address) = Call::serve().guests(&["probe"]).anywhere().listening().await;
    let mut bystander = connect(address, "/probe/x").await;
    let mut client = connect(address, "/probe/x").await;
    client.say("id").await;
    let id = client.hear_text().await;
    bystander.exchange("echo here", "here").await;
    client.say(r#"{"event":"alone"}"#).await;
    binary.logs(&["did not fit", "alone", &id]).await;
    // In a batch of several, too.
    let several = (0..50).map(|number| format!(r#"{{"event":"many{number}"}}"#));
    client.say_all(several).await;
    binary.logs(&["did not fit", "many49", &id]).await;
}
