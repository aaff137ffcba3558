//! Files that are no good from the start: each is one line, and the others are served.

use super::{Scene, guest, named};
use crate::harness::host::TestHost;
use crate::harness::{components, guests, wasm};
use std::time::Duration;

/// Not served, with one line that has these words.
async fn not_served(name: &str, file: Vec<u8>, words: &[&str]) -> Scene {
    not_served_with(name, file, words, |_| ()).await
}

async fn not_served_with(
    name: &str,
    file: Vec<u8>,
    words: &[&str],
    change: impl FnOnce(&mut lakou_host::Config),
) -> Scene {
    let mut scene = Scene::of(name, file, change).await;
    assert_eq!(scene.host.rejected.len(), 1, "{:?}", scene.host.rejected);
    let line = &scene.host.rejected[0];
    assert!(line.lines().count() == 1 && words.iter().all(|word| line.contains(word)), "{line}");
    scene.answers("any", 404).await;
    scene
}

#[tokio::test]
async fn imports_the_unknown() {
    let words = ["imports `lakou:core/guts@0.1.0`"];
    not_served("imports-the-unknown", named("imports-the-unknown", &components::imports_the_unknown()), &words).await;
}

#[tokio::test]
async fn exports_the_wrong_type() {
    not_served(
        "exports-the-wrong-type",
        named("exports-the-wrong-type", &components::exports_the_wrong_type()),
        &["does not fit this host"],
    )
    .await;
}

#[tokio::test]
async fn was_built_against_another_contract() {
    not_served(
        "was-built-against-another-contract",
        named("was-built-against-another-contract", &guests::wasm("other-contract")),
        &["`connect` of `lakou:controller/controller@0.1.0` has another type than in the contract: expected"],
    )
    .await;
}

#[tokio::test]
async fn begins_with_a_huge_table() {
    not_served(
        "begins-with-a-huge-table",
        named("begins-with-a-huge-table", &components::begins_with_a_huge_table()),
        &["table"],
    )
    .await;
}

#[tokio::test]
async fn begins_with_a_huge_memory() {
    not_served(
        "begins-with-a-huge-memory",
        named("begins-with-a-huge-memory", &components::begins_with_a_huge_memory()),
        &["memory"],
    )
    .await;
}

#[tokio::test]
async fn is_a_module() {
    not_served("is-a-module", wasm::CORE_MODULE.to_vec(), &["module", "component"]).await;
}

#[tokio::test]
async fn is_truncated() {
    let whole = guest("is-truncated");
    not_served("is-truncated", whole[..whole.len() * 2 / 3].to_vec(), &["hostile.wasm"]).await;
}

#[tokio::test]
async fn is_enormous() {
    // Its name is in it, and it is not read.
    let file = wasm::with_custom_section(&guest("hostile"), "ballast", &vec![0; 2 << 20]);
    let scene = not_served_with("hostile", file, &["over max-component"], |config| {
        config.guest.max_component = 2 << 20;
    })
    .await;
    scene.stopped_by("max-component").await;
}

#[tokio::test]
async fn is_larger_than_it_may_be_by_its_own_setting() {
    let name = "is-larger-than-it-may-be-by-itself";
    let scene = not_served_with(name, guest(name), &["over max-component"], |config| {
        config.overrides.entry(name.to_owned()).or_default().max_component = Some(1 << 10);
    })
    .await;
    scene.stopped_by("max-component").await;
}

#[tokio::test]
async fn is_a_bomb_for_the_compiler() {
    let name = "is-a-bomb-for-the-compiler";
    let limit = Duration::from_secs(2);
    let scene = not_served_with(
        name,
        named(name, &components::bomb()),
        &["over compile-time: takes longer than 2s"],
        |config| {
            config.guest.compile_time = limit;
            config.compiler = Some(guests::binary().to_owned());
            config.cache = None;
            // The echo comes before it, and takes what it takes.
            config.overrides.entry("echo".to_owned()).or_default().compile_time = Some(20 * limit);
        },
    )
    .await;
    scene.stopped_by("compile-time").await;
}

#[tokio::test]
async fn what_compiles_elsewhere_is_served() {
    let host = TestHost::serving(&["echo"])
        .file("odd.wasm", wasm::EMPTY_COMPONENT)
        .file("text.wasm", "\0asm\x0d\0\x01\0 and what is no section")
        .config(|config| {
            config.compiler = Some(guests::binary().to_owned());
            config.cache = None;
        })
        .start()
        .await;
    host.connect("/echo").await.exchange("hi", "hi").await;
    assert_eq!(host.rejected.len(), 2, "{:?}", host.rejected);
    let host = TestHost::serving(&["echo"])
        .config(|config| {
            config.compiler = Some("/nowhere/at/all".into());
            config.cache = None;
        })
        .start()
        .await;
    let line = &host.rejected[0];
    assert!(line.contains("echo.wasm") && line.contains("/nowhere/at/all can not be run"), "{line}");
}
