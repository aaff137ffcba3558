//! Settings: one name each in the file, the environment and the flags; which wins; and what is said of wrong ones.

use crate::harness::binary::{Call, ask, connect};
use crate::harness::{guests, wasm};
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
async fn an_unknown_key_is_named_with_the_nearest_or_with_its_place() {
    for (toml, words) in [
        ("max-messages = 1\n", ["`max-messages`", "did you mean `max-message`?"]),
        ("lisen = 1\n", ["`lisen`", "did you mean `listen`?"]),
        ("[controllers.echo]\npath = \"/x\"\n", ["controllers", "[controller.NAME]"]),
        ("[kontroller.echo]\npath = \"/x\"\n", ["`kontroller`", "did you mean `controller`?"]),
        ("keyvalue = true\n", ["`keyvalue`", "[controller.NAME]"]),
        ("zzz = 1\n", ["`zzz`", "lakou serve --help"]),
        ("[controller.echo]\nmemroy = 1\n", ["`memroy`", "did you mean `memory`?"]),
        ("[controller.echo]\nlisten = \":80\"\n", ["`listen`", "above all tables"]),
        ("[controller.echo]\nzzz = 1\n", ["`zzz`", "path"]),
    ] {
        let lines = Call::serve().guests(&["echo"]).file("lakou.toml", toml).fails().await;
        let line = only_line(&lines);
        contains_all(line, &[&["lakou.toml"], &words[..]].concat());
        assert!(!line.contains("did you mean") || line.len() < 200, "the nearest alone: {line}");
    }
}

#[tokio::test]
async fn a_command_that_is_not_for_people_is_not_proposed() {
    for command in ["completions", "compil", "comple"] {
        let lines = Call::lakou(command).fails().await.join("\n");
        assert!(lines.contains(command) && !lines.contains("'compile'"), "{lines}");
    }
}

#[tokio::test]
async fn a_filter_of_the_log_that_is_none_is_named() {
    for filter in ["verbos", "info,guest", "guest=loud"] {
        let lines = Call::serve().guests(&["echo"]).anywhere().env("LAKOU_LOG", filter).fails().await;
        contains_all(only_line(&lines), &["LAKOU_LOG", filter, "debug"]);
    }
}

#[tokio::test]
async fn who_is_strict_starts_with_all_or_not_at_all() {
    let call = || Call::serve().anywhere().args(&["--strict", "true"]);
    let lines = call().guests(&["echo"]).file("controllers/odd.wasm", "hello").fails().await;
    contains_all(&lines.join("\n"), &["not served", "odd.wasm", "strict", "1 of 2"]);
    let lines = call().file("controllers/notes.txt", "nothing to serve").fails().await;
    contains_all(only_line(&lines), &["strict", "*.wasm"]);
    let (_binary, address) = call().guests(&["echo"]).listening().await;
    connect(address, "/echo").await.exchange("hi", "hi").await;
}

#[tokio::test]
async fn names_and_paths_do_nothing_to_a_terminal() {
    let path = "{\"name\":\"odd\",\"path\":\"/o\\u001b[2J\\u202e\\nlistening on http://evil\"}";
    let odd = wasm::with_defaults(&guests::wasm("plain-http"), path);
    let call = Call::serve().guests(&["echo"]).bytes("controllers/odd\u{1b}[31m\u{202e}.wasm", &odd);
    let call =
        call.file("controllers/two\nlines\u{1b}[2J.wasm", "hello").file("controllers/turned\u{202e}.wasm", "hello");
    let (binary, _) = call.anywhere().listening().await;
    binary.logs(&["not served", "two\\nlines\\u{1b}"]).await;
    binary.logs(&["not served", "turned\\u{202e}"]).await;
    for line in binary.stdout().iter().chain(&binary.stderr()) {
        assert!(!line.contains(['\u{1b}', '\u{202e}']), "{line:?}");
        assert!(!line.starts_with("listening on http://evil") && !line.starts_with("lines"), "{line:?}");
    }
}

#[tokio::test]
async fn a_bad_value_is_named_with_what_is_allowed() {
    for (toml, words) in [
        ("max-message = \"lots\"\n", ["max-message", "lots"]),
        ("max-message = -1\n", ["max-message", "-1"]),
        ("ping-interval = \"soon\"\n", ["ping-interval", "soon"]),
        ("ping-interval = 5\n", ["ping-interval", "5"]),
        ("listen = \"here\"\n", ["listen", "here"]),
        ("listen = 80800\n", ["listen", "80800"]),
        ("listen = \"::1:8080\"\n", ["listen", "[::1]:8000"]),
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
async fn it_listens_where_people_say() {
    for (given, heard) in [("localhost:0", "127.0.0.1"), ("0", "127.0.0.1"), ("127.0.0.1:0", "127.0.0.1")] {
        let (_binary, address) = Call::serve().guests(&["echo"]).args(&["--listen", given]).listening().await;
        assert_eq!(address.ip().to_string(), heard, "{given}");
        connect(address, "/echo").await.exchange("hi", "hi").await;
    }
    // As a number, and on all addresses: that of IPv4 is among them.
    let call = Call::serve().guests(&["echo"]).file("lakou.toml", "listen = \":0\"\n");
    let (_binary, address) = call.listening().await;
    assert!(address.ip().is_unspecified(), "{address}");
    connect(([127, 0, 0, 1], address.port()).into(), "/echo").await.exchange("hi", "hi").await;
    let lines = Call::serve().guests(&["echo"]).args(&["--listen", "no-such-name.invalid:0"]).fails().await;
    contains_all(only_line(&lines), &["listen", "no-such-name.invalid:0"]);
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let lines = Call::serve().guests(&["echo"]).args(&["--listen", &address]).fails().await;
    contains_all(only_line(&lines), &[&address]);
}
