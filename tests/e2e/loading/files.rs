//! Which files are mounted, where, and what is said of the others. A bad file never keeps a good one from being served.

use crate::harness::folder::Folder;
use crate::harness::host::TestHost;
use crate::harness::wait::within;
use crate::harness::{components, guests, wasm};
use std::time::Duration;

/// The one line about the file `name`.
fn about<'a>(host: &'a TestHost, name: &str) -> &'a str {
    let lines: Vec<_> = host.rejected.iter().filter(|line| line.contains(name)).collect();
    assert_eq!(lines.len(), 1, "one line about {name} among {:?}", host.rejected);
    assert!(!lines[0].contains('\n'), "one line: {:?}", lines[0]);
    lines[0]
}

/// A host that serves `echo` and was offered `content` as `odd.wasm`; the echo must work.
async fn offered(content: impl AsRef<[u8]>) -> TestHost {
    let host = TestHost::serving(&["echo"]).file("odd.wasm", content).start().await;
    assert_eq!(host.mounts.len(), 1, "{:?}", host.mounts);
    host.connect("/echo").await.exchange("hi", "hi").await;
    host
}

#[tokio::test]
async fn says_what_is_mounted_where() {
    let host = TestHost::with(&["echo", "probe"]).await;
    assert_eq!(host.mounts.len(), 2, "{:?}", host.mounts);
    let line = host.mounts.iter().find(|line| line.contains("probe.wasm")).expect("a line about the probe");
    assert!(line.contains("/probe/{*rest}"), "{line}");
    assert!(host.rejected.is_empty(), "{:?}", host.rejected);
}

#[tokio::test]
async fn a_file_that_is_not_wasm_is_named() {
    for content in [&b"hello, world"[..], b"", b"\0asm", b"\x7fELF\x02\x01\x01\0"] {
        let host = offered(content).await;
        assert!(about(&host, "odd.wasm").contains("not a"), "{}", about(&host, "odd.wasm"));
    }
}

#[tokio::test]
async fn a_core_module_is_told_from_a_component() {
    let host = offered(wasm::CORE_MODULE).await;
    let line = about(&host, "odd.wasm");
    assert!(line.contains("module") && line.contains("component"), "{line}");
}

#[tokio::test]
async fn a_truncated_component_is_named() {
    let whole = guests::wasm("echo");
    let host = offered(&whole[..whole.len() / 2]).await;
    about(&host, "odd.wasm");
}

#[tokio::test]
async fn a_missing_export_is_named() {
    let host = offered(wasm::EMPTY_COMPONENT).await;
    let line = about(&host, "odd.wasm");
    assert!(line.contains("lakou:controller/controller") && line.contains("export"), "{line}");
}

#[tokio::test]
async fn a_contract_of_another_version_is_named() {
    let name = "lakou:controller/controller@0.1.0";
    // One that takes WebSockets only, and one that could be served by halves.
    for guest in ["ticker", "probe"] {
        let (odd, _) = wasm::patched(&guests::wasm(guest), name, "lakou:controller/controller@0.9.0");
        let host = offered(odd).await;
        assert!(about(&host, "odd.wasm").contains("0.9.0"), "{:?}", host.rejected);
    }
}

#[tokio::test]
async fn a_function_that_the_contract_wants_is_named() {
    let (odd, places) =
        wasm::patched(&guests::wasm("probe"), "[method]connection.on-close", "[method]connection.on-clove");
    assert!(places > 0, "components name their functions");
    let host = offered(odd).await;
    let line = about(&host, "odd.wasm");
    assert!(line.contains("on-close"), "{line}");
}

#[tokio::test]
async fn an_import_that_nobody_offers_is_named() {
    let (odd, places) = wasm::patched(&guests::wasm("plain-http"), "wasi:clocks/", "wasi:clucks/");
    assert!(places > 0, "the example looks at a clock");
    let host = offered(odd).await;
    let line = about(&host, "odd.wasm");
    assert!(line.contains("wasi:clucks/") && line.contains("import"), "{line}");
}

#[tokio::test]
async fn what_is_missing_is_said_before_anything_is_compiled() {
    let (no_import, _) = wasm::patched(&guests::wasm("plain-http"), "wasi:clocks/", "wasi:clucks/");
    let (no_function, places) =
        wasm::patched(&guests::wasm("probe"), "[method]socket.unicast", "[method]socket.unicost");
    assert!(places > 0, "the probe imports it by name");
    let name = "lakou:controller/controller@0.1.0";
    let (no_export, _) = wasm::patched(&guests::wasm("echo"), name, "lakou:controller/controller@0.9.0");
    let folder = Folder::new();
    let cache = folder.join("cache");
    let kept = cache.clone();
    let host = TestHost::bare()
        .file("visits.wasm", guests::wasm("visits"))
        .file("relay.wasm", guests::wasm("relay"))
        .file("import.wasm", no_import)
        .file("function.wasm", no_function)
        .file("export.wasm", no_export)
        .file("empty.wasm", wasm::EMPTY_COMPONENT)
        .config(|config| {
            config.cache = Some(kept);
            // Not enough to compile anything.
            config.guest.compile_time = Duration::ZERO;
        })
        .start()
        .await;
    for (file, word) in [
        ("visits.wasm", "write keyvalue = true into [controller.visits]"),
        ("relay.wasm", "which is not granted: write websocket = "),
        ("import.wasm", "wasi:clucks/"),
        ("function.wasm", "imports `lakou:controller/sockets@0.1.0`"),
        ("export.wasm", "0.9.0"),
        ("empty.wasm", "exports neither"),
    ] {
        assert!(about(&host, file).contains(word), "{word}: {}", about(&host, file));
    }
    assert_eq!(std::fs::read_dir(&cache).expect("the cache was opened").count(), 0);
    assert!(host.counted().limits.values().all(|limits| limits.get("compile-time").is_none_or(|hits| *hits == 0)));
}

#[tokio::test]
async fn four_memories_are_served_and_five_are_named() {
    let host = TestHost::bare().file("odd.wasm", components::with_memories(4)).start().await;
    assert!(host.rejected.is_empty(), "{:?}", host.rejected);
    assert_eq!(host.ask("GET", "/odd").get().await.status, 500, "it gives no answer");
    assert_eq!(host.counted().traps, 0, "{:?}", host.counted());
    let host = offered(components::with_memories(5)).await;
    let line = about(&host, "odd.wasm");
    assert!(line.contains('5') && line.contains("memories"), "{line}");
}

#[tokio::test]
async fn nothing_of_the_machine_is_seen_from_inside() {
    let host = TestHost::with(&["probe"]).await;
    let mut client = host.connect("/probe/x").await;
    client.exchange("surroundings", "0 arguments, 0 variables, 0 folders, 0 written").await;
}

#[tokio::test]
async fn bad_embedded_defaults_are_named() {
    let bad = [
        "not json",
        "[]",
        r#"{"name":"odd","path":"/odd"}"#,
        r#"{"version":2,"name":"odd","path":"/odd"}"#,
        r#"{"version":1,"name":"odd one","path":"/odd"}"#,
        r#"{"version":1,"name":"","path":"/odd"}"#,
        r#"{"version":1,"name":"odd","path":"odd"}"#,
        r#"{"version":1,"name":"odd","path":"/odd/{"}"#,
        r#"{"version":1,"name":"odd","path":"/odd/{*rest}/more"}"#,
        r#"{"version":1,"name":"odd","path":7}"#,
    ];
    for defaults in bad {
        let host = offered(wasm::with_defaults(&guests::wasm("plain-http"), defaults)).await;
        let line = about(&host, "odd.wasm");
        assert!(line.len() > "odd.wasm: ".len() + 10, "{defaults}: says why: {line}");
    }
}

#[tokio::test]
async fn a_name_over_64_characters_is_refused() {
    let name = "x".repeat(65);
    let defaults = format!(r#"{{"version":1,"name":"{name}","path":"/odd"}}"#);
    about(&offered(wasm::with_defaults(&guests::wasm("plain-http"), &defaults)).await, "odd.wasm");
}

#[tokio::test]
async fn two_controllers_on_one_path_are_both_named() {
    let rival = r#"{"version":1,"name":"rival","path":"/echo"}"#;
    let rival = wasm::with_defaults(&guests::wasm("plain-http"), rival);
    let host = TestHost::serving(&["echo"]).file("rival.wasm", rival).start().await;
    assert_eq!(host.mounts.len(), 1, "{:?}", host.mounts);
    let line = &host.rejected[0];
    assert!(line.contains("rival") && line.contains("echo") && line.contains("/echo"), "{line}");
    host.connect("/echo").await.exchange("hi", "hi").await;
}

#[tokio::test]
async fn patterns_that_differ_in_a_parameters_name_only_are_one_path() {
    let rival = r#"{"version":1,"name":"rival","path":"/misbehave/{other}"}"#;
    let rival = wasm::with_defaults(&guests::wasm("plain-http"), rival);
    let host = TestHost::serving(&["misbehave"]).file("rival.wasm", rival).start().await;
    assert_eq!((host.mounts.len(), host.rejected.len()), (1, 1), "{:?} {:?}", host.mounts, host.rejected);
}

#[tokio::test]
async fn the_same_name_twice_is_refused() {
    let host = TestHost::serving(&["echo"]).file("second.wasm", guests::wasm("echo")).start().await;
    assert_eq!(host.mounts.len(), 1, "{:?}", host.mounts);
    assert!(about(&host, "second.wasm").contains("echo"), "{:?}", host.rejected);
}

#[tokio::test]
async fn other_files_are_left_alone() {
    let host =
        TestHost::serving(&["echo"]).file("README.md", "not for the host").file("echo.wasm.bak", "").start().await;
    assert!(host.rejected.is_empty(), "{:?}", host.rejected);
}

#[tokio::test]
async fn a_folder_is_no_component() {
    let furnished = TestHost::serving(&["echo"]).folder("odd.wasm");
    let host = furnished.start().await;
    about(&host, "odd.wasm");
    host.connect("/echo").await.exchange("hi", "hi").await;
}

#[tokio::test]
async fn an_empty_folder_is_served_as_such() {
    let host = TestHost::with(&[]).await;
    assert!(host.mounts.is_empty() && host.rejected.is_empty());
    assert_eq!(host.ask("GET", "/echo").get().await.status, 404);
}

#[tokio::test]
async fn a_missing_folder_is_an_error_that_names_it() {
    let start = TestHost::bare().config(|config| config.controllers = "/nowhere/at/all".into()).try_start().await;
    let error = start.err().expect("the host does not start");
    assert!(error.contains("/nowhere/at/all"), "{error}");
}

#[tokio::test]
async fn a_component_without_defaults_is_mounted_by_its_file_name() {
    let host = TestHost::bare().file("Other_name-9.wasm", guests::wasm("plain-http")).start().await;
    assert!(host.mounts[0].contains("/Other_name-9"), "{:?}", host.mounts);
    assert_eq!(host.ask("GET", "/Other_name-9").get().await.status, 200);
}

#[tokio::test]
async fn a_file_name_that_cannot_be_a_name_is_refused() {
    let host = TestHost::bare().file("what is this.wasm", guests::wasm("plain-http")).start().await;
    assert!(about(&host, "what is this.wasm").contains("name"), "{:?}", host.rejected);
}

#[tokio::test]
async fn the_operators_path_comes_before_the_embedded_one() {
    let host = TestHost::serving(&["echo"])
        .config(|config| config.overrides.entry("echo".into()).or_default().path = Some("/said/{what}".into()))
        .start()
        .await;
    host.connect("/said/again").await.exchange("hi", "hi").await;
    assert_eq!(host.ask("GET", "/echo").get().await.status, 404);
}

#[tokio::test]
async fn a_path_beyond_ascii_is_reached_as_browsers_write_it() {
    let host = TestHost::serving(&["probe"])
        .config(|config| {
            let own = config.overrides.entry("probe".to_owned()).or_default();
            own.path = Some("/café au lait/{*rest}".to_owned());
        })
        .start()
        .await;
    host.connect("/caf%C3%A9%20au%20lait/x").await.exchange("echo hi", "hi").await;
    host.knock("/cafe/x").refused(404).await;
}

#[tokio::test]
async fn a_pipe_is_no_component() {
    let starting = TestHost::serving(&["echo"]).pipe("odd.wasm").start();
    let host = within("the host starts although nobody writes to the pipe", starting).await;
    let [line] = host.rejected.as_slice() else { panic!("one line: {:?}", host.rejected) };
    assert!(line.contains("odd.wasm") && !line.contains('\n'), "{line}");
    host.connect("/echo").await.exchange("hi", "hi").await;
}
