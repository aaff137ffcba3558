//! `examples/motd`: what the operator has written is said, as far as it is granted.

use crate::harness::binary::{Call, ask, connect};
use crate::harness::folder::{Folder, checkout};
use crate::harness::host::TestHost;
use std::path::Path;

/// A host with the variable and a folder.
async fn granting(folder: &Path) -> TestHost {
    let folder = format!("motd={}", folder.display());
    let host = TestHost::serving(&["motd"]).config(|config| {
        let motd = config.overrides.entry("motd".into()).or_default();
        motd.grants.files = vec![folder.parse().expect("a folder")];
        motd.grants.environment = vec!["PLACE=the market".parse().expect("a variable")];
    });
    host.start().await
}

#[tokio::test]
async fn everybody_is_greeted_with_the_message() {
    let host = granting(&checkout().join("examples/motd/messages")).await;
    let message = include_str!("../../../examples/motd/messages/today.txt").replace("{place}", "the market");
    assert!(message.contains("the market"), "{message}");
    host.connect("/motd").await.expect(&message).await;
    let answer = host.ask("GET", "/motd").get().await;
    assert_eq!((answer.status, answer.text()), (200, message));
}

#[tokio::test]
async fn an_edit_needs_no_restart() {
    let folder = Folder::new();
    let host = granting(folder.path()).await;
    for (text, message) in [("{place} opens", "the market opens"), ("Closed 🌙", "Closed 🌙")] {
        folder.write("today.txt", text);
        host.connect("/motd").await.expect(message).await;
    }
}

#[tokio::test]
async fn what_is_outside_of_the_folder_is_not_said() {
    let outside = Folder::new();
    outside.write("secret", "secret");
    outside.write("messages/other.txt", "of another day");
    let link = outside.join("messages/today.txt");
    std::os::unix::fs::symlink("../secret", link).expect("the test's own folder");
    let host = granting(&outside.join("messages")).await;
    host.connect("/motd").await.expect("Welcome to the market.\n").await;
}

#[tokio::test]
async fn without_grants_the_log_says_what_to_write() {
    let (binary, address) = Call::serve().guests(&["motd"]).env("PLACE", "nowhere").anywhere().listening().await;
    connect(address, "/motd").await.expect("Welcome to this server.\n").await;
    assert_eq!(ask(address, "GET", "/motd").get().await.text(), "Welcome to this server.\n");
    binary.logs(&["guest", "controller=\"motd\"", "connection=", "write files = [", "[controller.motd]"]).await;
    binary.logs(&["guest", "controller=\"motd\"", "connection=", "write environment = ["]).await;
}
