//! What the host has for a guest beside messages: keys and values, configuration, log, variables, folders; each as granted.

use crate::harness::binary::{Call, connect};
use crate::harness::folder::Folder;
use crate::harness::guests;
use crate::harness::host::TestHost;
use crate::harness::redis::RedisServer;
use lakou_host::{ControllerConfig, Value};
use rustix::process::Signal;

/// A host whose guest has a bucket, and what else `change` grants.
fn keeping(change: impl FnOnce(&mut ControllerConfig)) -> crate::harness::host::Furnished {
    TestHost::serving(&["keeps"]).config(|config| {
        let keeps = config.overrides.entry("keeps".into()).or_default();
        keeps.grants.keyvalue = true;
        change(keeps);
    })
}

#[tokio::test]
async fn without_a_grant_it_is_not_loaded() {
    let host = TestHost::with(&["keeps", "echo"]).await;
    assert_eq!((host.mounts.len(), host.rejected.len()), (1, 1), "{:?}", host.rejected);
    let line = &host.rejected[0];
    for word in ["keeps.wasm", "lakou:controller/keyvalue", "keyvalue = true", "[controller.keeps]"] {
        assert!(line.contains(word), "{word}: {line}");
    }
}

#[tokio::test]
async fn values_are_shared_by_all_instances() {
    let host = keeping(|keeps| keeps.connections_per_instance = Some(1)).start().await;
    let mut one = host.connect("/keeps").await;
    let mut two = host.connect("/keeps").await;
    one.exchange("set greeting hello", "ok").await;
    two.exchange("get greeting", "hello").await;
    one.exchange("add visits 2", "2").await;
    two.exchange("add visits 3", "5").await;
    one.exchange("claim lock one", "true").await;
    two.exchange("claim lock two", "false").await;
    two.exchange("release lock two", "false").await;
    one.exchange("release lock one", "true").await;
    two.exchange("claim lock two", "true").await;
    two.exchange("keys", "greeting lock visits").await;
    two.exchange("exists lock", "true").await;
    two.exchange("delete lock", "true").await;
    two.exchange("delete lock", "false").await;
    two.exchange("get lock", "none").await;
    assert_eq!(host.counted().keyvalue_calls, 14);
}

#[tokio::test]
async fn a_value_lapses() {
    let host = keeping(|_| {}).start().await;
    let mut client = host.connect("/keeps").await;
    client.exchange("set-short a x", "ok").await;
    loop {
        client.say("get a").await;
        if client.hear_text().await == "none" {
            break;
        }
    }
    client.exchange("keys", "").await;
}

#[tokio::test]
async fn what_is_too_much_is_a_fault() {
    let host = keeping(|keeps| keeps.max_bucket = Some(300_000)).start().await;
    let mut client = host.connect("/keeps").await;
    client.exchange("set-large a 262145", "too large").await;
    client.exchange("set-large a 262144", "ok").await;
    client.say("set-large b 100000").await;
    client.expect_start("unavailable: the bucket is full: 300000 bytes").await;
    client.exchange("delete a", "true").await;
    client.exchange("set-large b 100000", "ok").await;
    client.say(&format!("set {} x", "k".repeat(513))).await;
    client.expect_start("invalid: a key has 1 to 512 bytes").await;
    client.exchange("set n x", "ok").await;
    client.say("add n 1").await;
    client.expect_start("invalid: the value is no whole number").await;
}

#[tokio::test]
async fn buckets_of_controllers_are_apart() {
    let (other, _) = crate::harness::wasm::patched(&guests::wasm("keeps"), "\"keeps\"", "\"hoard\"");
    let (other, _) = crate::harness::wasm::patched(&other, "\"/keeps\"", "\"/hoard\"");
    let host = keeping(|_| {})
        .file("hoard.wasm", other)
        .config(|config| config.overrides.entry("hoard".into()).or_default().grants.keyvalue = true)
        .start()
        .await;
    assert!(host.rejected.is_empty(), "{:?}", host.rejected);
    host.connect("/keeps").await.exchange("set a mine", "ok").await;
    let mut hoard = host.connect("/hoard").await;
    hoard.exchange("get a", "none").await;
    hoard.exchange("keys", "").await;
    hoard.exchange("add a 1", "1").await;
    host.connect("/keeps").await.exchange("get a", "mine").await;
}

#[tokio::test]
async fn values_outlive_the_host_however_it_ends() {
    let data = Folder::new();
    let path = data.join("data");
    let path = path.to_str().expect("a path in UTF-8");
    for (count, end) in (1..).zip([Signal::KILL, Signal::KILL, Signal::TERM, Signal::KILL]) {
        let call = Call::serve().guests(&["keeps"]).file("lakou.toml", "[controller.keeps]\nkeyvalue = true\n");
        let (mut binary, address) = call.args(&["--data", path]).anywhere().listening().await;
        let mut client = connect(address, "/keeps").await;
        client.exchange("add starts 1", &count.to_string()).await;
        client.exchange(&format!("set last {count}"), "ok").await;
        binary.signal(end);
        binary.ended().await;
    }
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
async fn lines_are_logged_with_controller_and_connection() {
    let settings = "[controller.keeps]\nkeyvalue = true\n[controller.keeps.config]\ntoken = \"never-shown\"\n";
    let call = Call::serve().guests(&["keeps"]).file("lakou.toml", settings).anywhere().env("LAKOU_LOG", "debug");
    let (binary, address) = call.listening().await;
    let mut client = connect(address, "/keeps").await;
    client.exchange("log disk nearly\tfull\u{1b}[2J", "logged").await;
    binary.logs(&["guest", "controller=\"keeps\"", "connection=", "disk: nearly\tfull\\u{1b}[2J"]).await;
    client.exchange("config token", "never-shown").await;
    for _ in 0..200 {
        client.exchange("log x many", "logged").await;
    }
    binary.logs(&["over 100 lines in this second"]).await;
    assert!(!binary.stderr().iter().any(|line| line.contains("never-shown")));
}

#[tokio::test]
async fn servers_with_a_redis_share_their_values() {
    let redis = RedisServer::start().await;
    let url = redis.url();
    let on_redis = || keeping(|_| {}).config(|config| config.redis = Some(url.clone()));
    let (one, two) = (on_redis().start().await, on_redis().start().await);
    let mut a = one.connect("/keeps").await;
    let mut b = two.connect("/keeps").await;
    a.exchange("set greeting hello", "ok").await;
    b.exchange("get greeting", "hello").await;
    a.exchange("add n 1", "1").await;
    b.exchange("add n 1", "2").await;
    a.exchange("claim lock a", "true").await;
    b.exchange("claim lock b", "false").await;
    b.exchange("keys", "greeting lock n").await;
    assert_eq!(redis.cli(&["HGET", "lakou:kv:{keeps}", "greeting"]).await, "hello");
}
