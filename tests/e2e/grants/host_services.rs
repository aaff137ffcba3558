//! What the host has for a guest beside messages and values: configuration, log, variables, folders; each as granted.

use crate::harness::binary::{Call, connect};
use crate::harness::folder::Folder;
use crate::harness::host::{Furnished, TestHost};
use lakou_host::{ControllerConfig, Value};
use rustix::process::Signal;

/// A host whose guest has what `change` grants, beside the bucket without which it is not loaded.
fn keeping(change: impl FnOnce(&mut ControllerConfig)) -> Furnished {
    TestHost::serving(&["keeps"]).config(|config| {
        let keeps = config.overrides.entry("keeps".into()).or_default();
        keeps.grants.keyvalue = true;
        change(keeps);
    })
}

#[tokio::test]
async fn configuration_is_the_operators() {
    let secret = Folder::new();
    let file = secret.write("token", "s3cret\n");
    let host = keeping(|keeps| {
        let config =
            [("greeting", Value::from("hello world")), ("token", Value::File(file)), ("home", Value::from("env:HOME"))];
        keeps.grants.config = config.map(|(key, value)| (key.to_owned(), value)).into();
    });
    let host = host.start().await;
    let mut client = host.connect("/keeps").await;
    client.exchange("config greeting", "hello world").await;
    client.exchange("config token", "s3cret").await;
    client.exchange("config other", "none").await;
    let home = std::env::var("HOME").expect("tests run somewhere");
    client.exchange("config-all", &format!("greeting=hello world;home={home};token=s3cret;")).await;
}

#[tokio::test]
async fn a_secret_that_can_not_be_read_is_one_line() {
    for (value, word) in [("file:/nowhere/token", "/nowhere/token"), ("env:LAKOU_NO_SUCH_TOKEN", "LAKOU_NO_SUCH_TOKEN")]
    {
        let host = keeping(|keeps| {
            keeps.grants.config.insert("token".into(), Value::from(value));
        });
        let host = host.start().await;
        let line = host.rejected.first().expect("it is not loaded");
        assert!(line.contains("token: ") && line.contains(word) && !line.contains('\n'), "{line}");
    }
}

#[tokio::test]
async fn only_variables_that_are_granted_are_seen() {
    let host = keeping(|keeps| {
        keeps.grants.environment = vec!["HOME".parse().expect("a variable"), "MODE=a=b".parse().expect("a variable")];
    });
    let host = host.start().await;
    let mut client = host.connect("/keeps").await;
    client.exchange("variable HOME", &std::env::var("HOME").expect("tests run somewhere")).await;
    client.exchange("variable MODE", "a=b").await;
    client.exchange("variable PATH", "none").await;
    client.exchange("variables", "2").await;
}

#[tokio::test]
async fn a_folder_can_be_read_and_not_left() {
    let outside = Folder::new();
    outside.write("secret", "secret");
    outside.write("words/list", "one two");
    outside.write("words/deep/list", "three");
    std::os::unix::fs::symlink("../secret", outside.join("words/link")).expect("the test's own folder");
    std::os::unix::fs::symlink(outside.join("secret"), outside.join("words/absolute")).expect("the test's own folder");
    let folder = format!("dict={}", outside.join("words").display());
    let host = keeping(|keeps| keeps.grants.files = vec![folder.parse().expect("a folder")]).start().await;
    let mut client = host.connect("/keeps").await;
    client.exchange("read /dict/list", "one two").await;
    client.exchange("read dict/deep/list", "three").await;
    for path in [
        "/dict/../secret",
        "/dict/link",
        "/dict/absolute",
        "/secret",
        "/etc/passwd",
        "secret",
        "/dict/deep/../../secret",
    ] {
        client.say(&format!("read {path}")).await;
        let answer = client.hear_text().await;
        assert!(answer.starts_with("error: "), "{path}: {answer}");
    }
    for command in ["write /dict/new x", "write /dict/list x", "remove /dict/list", "write /new x"] {
        client.say(command).await;
        let answer = client.hear_text().await;
        assert!(answer.starts_with("error: "), "{command}: {answer}");
    }
    assert_eq!(std::fs::read_to_string(outside.join("words/list")).expect("it is there"), "one two");
    assert!(!outside.join("words/new").exists());
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_one_line() {
    let host = keeping(|keeps| keeps.grants.files = vec!["/nowhere/words".parse().expect("a folder")]).start().await;
    assert!(host.rejected[0].contains("/nowhere/words"), "{:?}", host.rejected);
}

#[tokio::test]
async fn secrets_are_never_in_the_log() {
    let settings = r#"
        [controller.keeps]
        keyvalue = true
        environment = ["MODE=s3cret-mode", "HANDED"]
        config = { text = "s3cret-text", variable = "env:HANDED", file = "file:token" }
        [controller.probe.config]
        text = "s3cret-text"
        file = "file:token"
        missing = "env:LAKOU_NO_SUCH_TOKEN"
    "#;
    let call = Call::serve().guests(&["keeps", "probe"]).file("lakou.toml", settings).file("token", "s3cret-file\n");
    let call = call.env("HANDED", "s3cret-handed").env("LAKOU_LOG", "debug").anywhere();
    let (mut binary, address) = call.listening().await;
    let mut client = connect(address, "/keeps").await;
    client.exchange("config-all", "file=s3cret-file;text=s3cret-text;variable=s3cret-handed;").await;
    client.exchange("variable MODE", "s3cret-mode").await;
    client.exchange("variable HANDED", "s3cret-handed").await;
    binary.logs(&["probe.wasm", "missing", "LAKOU_NO_SUCH_TOKEN"]).await;
    binary.signal(Signal::TERM);
    binary.ended().await;
    let said = [binary.stdout(), binary.stderr()].concat();
    assert!(!said.iter().any(|line| line.contains("s3cret")), "{said:?}");
}

#[tokio::test]
async fn a_wrong_table_with_secrets_does_not_show_them() {
    for (table, word) in [
        ("config = { token = [\"s3cret\"] }", "controller.keeps.config.token"),
        ("config = \"s3cret\"", "controller.keeps.config"),
        ("config = { token = \"s3cret", "lakou.toml"),
    ] {
        let settings = format!("[controller.keeps]\n{table}\n");
        let said = Call::serve().file("lakou.toml", &settings).anywhere().fails().await;
        assert!(said.iter().any(|line| line.contains(word)), "{said:?}");
        assert!(!said.iter().any(|line| line.contains("s3cret")), "{said:?}");
    }
}

#[tokio::test]
async fn lines_are_logged_with_controller_and_connection() {
    let call = Call::serve().guests(&["keeps"]).file("lakou.toml", "[controller.keeps]\nkeyvalue = true\n").anywhere();
    let (binary, address) = call.listening().await;
    let mut client = connect(address, "/keeps").await;
    client.exchange("log disk nearly\tfull\u{1b}[2J", "logged").await;
    binary.logs(&["guest", "controller=\"keeps\"", "connection=", "disk: nearly\tfull\\u{1b}[2J"]).await;
    client.exchange("print to stdout", "printed").await;
    binary.logs(&["INFO", "guest", "controller=\"keeps\"", "connection=", "to stdout"]).await;
    client.exchange("complain of it", "printed").await;
    binary.logs(&["WARN", "guest", "controller=\"keeps\"", "connection=", "of it"]).await;
}

#[tokio::test]
async fn lines_of_all_kinds_have_one_bound() {
    let settings = "[controller.keeps]\nkeyvalue = true\ncpu-time = \"4s\"\n";
    let call = Call::serve().guests(&["keeps"]).file("lakou.toml", settings).anywhere();
    let (mut binary, address) = call.listening().await;
    let mut client = connect(address, "/keeps").await;
    client.exchange("chatter 1000", "printed").await;
    binary.logs(&["over 100 lines in this second"]).await;
    binary.signal(Signal::TERM);
    binary.ended().await;
    // The call has taken less than five seconds: of its 3000 lines at most 600 are there.
    let lines = binary.stderr().iter().filter(|line| line.contains("guest")).count();
    assert!((1..=600).contains(&lines), "{lines} lines");
}
