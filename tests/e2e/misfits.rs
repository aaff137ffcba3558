//! What the log says of a message that fits no method.

use crate::harness::binary::{Call, connect};

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
