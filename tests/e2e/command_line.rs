//! Settings: one name each in the file, the environment and the flags; which wins; and what is said of wrong ones.

use crate::harness::binary::{Call, ask, connect};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The one line that a failing start writes.
fn only_line(lines: &[String]) -> &str {
    let [line] = lines else { panic!("one line: {lines:#?}") };
    line
}

fn contains_all(line: &str, words: &[&str]) {
    for word in words {
        assert!(line.contains(word), "`{word}` in: {line}");
    }
}

#[tokio::test]
async fn no_configuration_is_needed() {
    let (binary, address) = Call::serve().guests(&["echo", "probe"]).anywhere().listening().await;
    let stdout = binary.stdout();
    assert_eq!(stdout.len(), 3, "{stdout:?}");
    assert!(stdout[0].contains("/echo") && stdout[1].contains("/probe/{*rest}"), "in the files' order: {stdout:?}");
    connect(address, "/echo").await.exchange("hi", "hi").await;
}

#[tokio::test]
async fn a_rejected_file_is_logged_and_not_printed() {
    let call = Call::serve().guests(&["echo"]).file("controllers/odd.wasm", "hello");
    let (binary, _) = call.anywhere().listening().await;
    binary.logs(&["odd.wasm"]).await;
    assert_eq!(binary.stdout().len(), 2, "{:?}", binary.stdout());
}

#[tokio::test]
async fn flag_before_environment_before_file() {
    let call = || Call::serve().guests(&["echo"]).file("lakou.toml", "listen = \"127.0.0.2:0\"\n");
    let (_file, address) = call().listening().await;
    assert_eq!(address.ip().to_string(), "127.0.0.2");
    let (_environment, address) = call().env("LAKOU_LISTEN", "127.0.0.3:0").listening().await;
    assert_eq!(address.ip().to_string(), "127.0.0.3");
    let (_flag, address) =
        call().env("LAKOU_LISTEN", "127.0.0.3:0").args(&["--listen", "127.0.0.4:0"]).listening().await;
    assert_eq!(address.ip().to_string(), "127.0.0.4");
}

#[tokio::test]
async fn every_setting_has_one_name() {
    // The same limit three ways, each seen by its effect.
    for call in [
        Call::serve().file("lakou.toml", "max-message = \"1KiB\"\n"),
        Call::serve().env("LAKOU_MAX_MESSAGE", "1024"),
        Call::serve().args(&["--max-message", "1kib"]),
    ] {
        let (_binary, address) = call.guests(&["echo"]).anywhere().listening().await;
        let mut client = connect(address, "/echo").await;
        client.exchange(&"x".repeat(1024), &"x".repeat(1024)).await;
        client.say(&"x".repeat(1025)).await;
        client.expect_close(1009).await;
    }
}

#[tokio::test]
async fn a_file_elsewhere_and_a_controllers_own_table() {
    let toml = "[controller.echo]\npath = \"/said\"\nconnections-per-instance = 1\ncpu-time = \"50ms\"\n";
    let call = Call::serve().guests(&["echo"]).file("conf/site.toml", toml).args(&["--config", "conf/site.toml"]);
    let (_binary, address) = call.anywhere().listening().await;
    connect(address, "/said").await.exchange("hi", "hi").await;
}

#[tokio::test]
async fn folders_can_be_elsewhere() {
    let call = Call::serve().guests(&["echo"]).file("site/index.html", "welcome").args(&["--public", "site"]);
    let (_binary, address) = call.anywhere().listening().await;
    assert_eq!(ask(address, "GET", "/").get().await.text(), "welcome");
    let lines = Call::serve().anywhere().args(&["--controllers", "nowhere"]).fails().await;
    contains_all(only_line(&lines), &["nowhere"]);
}

#[tokio::test]
async fn an_unknown_key_is_named_with_those_that_are_known() {
    let lines = Call::serve().guests(&["echo"]).file("lakou.toml", "max-messages = 1\n").fails().await;
    contains_all(only_line(&lines), &["lakou.toml", "max-messages", "max-message"]);
    let lines = Call::serve().guests(&["echo"]).file("lakou.toml", "[controller.echo]\nroute = \"/x\"\n").fails().await;
    contains_all(only_line(&lines), &["lakou.toml", "route", "path"]);
}

#[tokio::test]
async fn a_bad_value_is_named_with_what_is_allowed() {
    for (toml, words) in [
        ("max-message = \"lots\"\n", ["max-message", "lots"]),
        ("max-message = -1\n", ["max-message", "-1"]),
        ("ping-interval = \"soon\"\n", ["ping-interval", "soon"]),
        ("ping-interval = 5\n", ["ping-interval", "5"]),
        ("listen = \"here\"\n", ["listen", "here"]),
        ("listen = 8080\n", ["listen", "8080"]),
        ("origins = [\"one.example\"]\n", ["origins", "one.example"]),
        ("max-connections = \"many\"\n", ["max-connections", "many"]),
        ("trusted-proxies = [\"10.0.0.0/33\"]\n", ["trusted-proxies", "10.0.0.0/33"]),
        ("forwarded-header = \"x-real-ip\"\n", ["forwarded-header", "x-real-ip"]),
        ("proxy-protocol = \"maybe\"\n", ["proxy-protocol", "maybe"]),
        ("max-header = \"1KiB\"\n", ["max-header", "1KiB"]),
        ("max-handshakes-per-second = 0\n", ["max-handshakes-per-second", "0"]),
    ] {
        let lines = Call::serve().guests(&["echo"]).file("lakou.toml", toml).fails().await;
        contains_all(only_line(&lines), &[&["lakou.toml"], &words[..]].concat());
    }
}

#[tokio::test]
async fn a_value_that_cannot_work_is_refused() {
    for arguments in
        [["--max-connections", "0"], ["--outbox", "0"], ["--connections-per-instance", "0"], ["--cpu-time", "0s"]]
    {
        let lines = Call::serve().guests(&["echo"]).anywhere().args(&arguments).fails().await;
        contains_all(only_line(&lines), &[arguments[0].trim_start_matches('-')]);
    }
}

#[tokio::test]
async fn a_bad_variable_or_flag_is_named() {
    let lines = Call::serve().guests(&["echo"]).env("LAKOU_PING_INTERVAL", "soon").fails().await;
    contains_all(only_line(&lines), &["LAKOU_PING_INTERVAL", "soon"]);
    let lines = Call::serve().guests(&["echo"]).args(&["--max-message", "lots"]).fails().await;
    contains_all(&lines.join(" "), &["--max-message", "lots"]);
    let lines = Call::serve().guests(&["echo"]).args(&["--max-messages", "1"]).fails().await;
    contains_all(&lines.join(" "), &["--max-messages", "--max-message"]);
}

#[tokio::test]
async fn a_misspelt_variable_is_named() {
    let lines = Call::serve().guests(&["echo"]).env("LAKOU_DATA", OsStr::from_bytes(b"/tmp/\xff")).fails().await;
    contains_all(only_line(&lines), &["LAKOU_DATA", "UTF-8"]);

    let call = Call::serve().guests(&["echo"]).env("LAKOU_LISTNE", "127.0.0.1:0");
    let (binary, _) = call.anywhere().listening().await;
    binary.logs(&["WARN", "LAKOU_LISTNE"]).await;
}

#[tokio::test]
async fn help_names_every_setting_and_its_variable() {
    let mut binary = Call::serve().args(&["--help"]).start();
    assert!(binary.ended().await.success());
    binary.prints(&["--max-message"]).await;
    let help = binary.stdout().join("\n");
    contains_all(&help, &["--controllers", "--listen", "--public", "--config", "LAKOU_PING_INTERVAL", "default"]);
}

#[tokio::test]
async fn a_file_that_is_no_toml_or_not_there_is_named() {
    let lines = Call::serve().file("lakou.toml", "listen = \n").fails().await;
    contains_all(only_line(&lines), &["lakou.toml"]);
    let lines = Call::serve().args(&["--config", "nowhere.toml"]).fails().await;
    contains_all(only_line(&lines), &["nowhere.toml"]);
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let lines = Call::serve().guests(&["echo"]).args(&["--listen", &address]).fails().await;
    contains_all(only_line(&lines), &[&address]);
}
