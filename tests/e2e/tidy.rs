//! The style that a program can check: rules of CONTRIBUTING.md and invariants of ARCHITECTURE.md. A failure lists every
//! place at once.

use crate::harness::folder::checkout;
use std::path::PathBuf;

/// Files that may be longer than [`LONG`] lines, each with the reason.
const LONG_FOR_A_REASON: &[(&str, &str)] = &[];

/// From this many lines on a file holds a second idea.
const LONG: usize = 400;

/// Who may know a third-party name: the name as source spells it, and the beginnings of the paths that may.
const KNOWN_IN: &[(&str, &[&str])] = &[
    ("redis::", &["host/src/link", "host/src/bus", "host/src/store", "host/src/controller/environment.rs"]),
    ("redb::", &["host/src/store/embedded"]),
    ("wasmtime::", &["host/src/controller"]),
    ("wasmtime_wasi::", &["host/src/controller"]),
    ("wasmtime_wasi_http::", &["host/src/controller"]),
    ("hyper::", &["host/src/http", "host/src/outbound", "host/src/server"]),
    ("hyper_util::", &["host/src/http", "host/src/outbound", "host/src/server"]),
    ("rustls::", &["host/src/link", "host/src/outbound"]),
    ("tokio_tungstenite::", &["host/src/session", "host/src/message.rs"]),
    ("tungstenite::", &["host/src/session", "host/src/message.rs"]),
    ("cap_primitives::", &["host/src/http/files/folder.rs"]),
    ("httpdate::", &["host/src/http/files/conditions.rs"]),
    ("mime_guess::", &["host/src/http/files/media.rs"]),
    ("wasmparser::", &["host/src/controller"]),
    ("proxy_header::", &["host/src/server/proxied"]),
    ("ipnet::", &["host/src/config"]),
    ("clap::", &["host/src/cli", "host/src/main.rs"]),
];

/// The host's layers, along the data flow: each imports those behind it and the leaves (every other module), which
/// import no layer.
const LAYERS: &[&str] = &[
    "fuzzing",
    "cli",
    "server",
    "http",
    "router",
    "outward",
    "service",
    "session",
    "controller",
    "identities",
    "bus",
    "store",
];

/// A source file: its path in the checkout and its content.
struct Source {
    path: String,
    text: String,
}

#[test]
fn every_file_opens_with_what_it_is() {
    none(
        "does not open with `//!`",
        sources().iter().filter(|source| !source.text.starts_with("//!")).map(Source::name),
    );
}

#[test]
fn no_file_holds_a_second_idea() {
    let long = sources().into_iter().filter(|source| {
        let excused = LONG_FOR_A_REASON.iter().any(|(path, _)| *path == source.path);
        source.text.lines().count() > LONG && !excused
    });
    none(&format!("has over {LONG} lines"), long.map(|source| source.name()));
}

#[test]
fn excuses_are_still_needed() {
    let sources = sources();
    let needed = |path: &str| sources.iter().any(|file| file.path == path && file.text.lines().count() > LONG);
    none(
        "is excused for its length and is not long",
        LONG_FOR_A_REASON.iter().map(|(path, _)| (*path).to_owned()).filter(|path| !needed(path)),
    );
}

#[test]
fn a_third_party_name_is_known_in_one_place() {
    let host: Vec<_> = sources().into_iter().filter(|source| source.path.starts_with("host/src/")).collect();
    for (name, places) in KNOWN_IN {
        let strangers = host.iter().filter(|source| !places.iter().any(|place| source.path.starts_with(place)));
        none(&format!("knows `{name}`"), strangers.flat_map(|source| source.lines_where(|line| names(line, name))));
    }
}

#[test]
fn imports_point_one_way() {
    let layer = |name: &str| LAYERS.iter().position(|layer| *layer == name);
    let mut upstream = Vec::new();
    for source in sources() {
        let Some(inside) = source.path.strip_prefix("host/src/") else { continue };
        let own = inside.split(['/', '.']).next().unwrap_or_default();
        if own == "main" || own == "lib" {
            continue;
        }
        // A leaf stands behind every layer.
        let own = layer(own).unwrap_or(LAYERS.len());
        let goes_up = |line: &str| {
            let names = line.match_indices("crate::").map(|(at, word)| &line[at + word.len()..]);
            let names = names.filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next());
            names.filter_map(layer).any(|other| other < own)
        };
        upstream.extend(source.lines_where(goes_up));
    }
    none("imports a layer before its own", upstream.into_iter());
}

#[test]
fn the_host_has_a_proof_for_what_it_expects() {
    let host = sources().into_iter().filter(|source| source.path.starts_with("host/src/") && !source.is_test());
    none("unwraps without a reason", host.flat_map(|source| source.lines_where(|line| line.contains(".unwrap()"))));
}

#[test]
fn a_test_waits_for_a_condition_and_does_not_rest() {
    // Spelled in two parts, so that this line is none of them.
    let rest = ["sleep", "("].concat();
    let tests = sources().into_iter().filter(|source| source.path.starts_with("tests/e2e/"));
    none("rests", tests.flat_map(|source| source.lines_where(|line| line.contains(&rest))));
}

#[test]
fn an_exception_carries_its_reason() {
    let mut places = Vec::new();
    for source in sources() {
        // Spelled in two parts, so that this file makes none.
        for beginning in [["#[", "allow("], ["#![", "allow("]].map(|parts| parts.concat()) {
            for (at, _) in source.text.match_indices(&beginning) {
                let exception = source.text[at..].split_once(")]").map_or("", |(exception, _)| exception);
                if !exception.contains("reason =") {
                    places.push(format!("{}:{}", source.path, source.text[..at].lines().count() + 1));
                }
            }
        }
    }
    none("allows without a reason", places.into_iter());
}

#[test]
fn names_say_a_role() {
    let vague = ["Manager", "Helper", "Util"];
    let declares = |line: &str| ["struct ", "enum ", "trait ", "type "].iter().any(|word| line.contains(word));
    let bad = |line: &str| {
        declares(line)
            && vague.iter().any(|word| {
                line.split_whitespace().any(|name| name.trim_matches(|c: char| !c.is_alphanumeric()).ends_with(word))
            })
    };
    none("is named vaguely", sources().iter().flat_map(|source| source.lines_where(bad)));
}

impl Source {
    fn name(&self) -> String {
        self.path.clone()
    }

    /// Where code (no comment) satisfies `condition`.
    fn lines_where(&self, condition: impl Fn(&str) -> bool) -> Vec<String> {
        let lines =
            self.text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//") && condition(line));
        lines.map(|(number, _)| format!("{}:{}", self.path, number + 1)).collect()
    }

    fn is_test(&self) -> bool {
        self.path.ends_with("tests.rs")
    }
}

/// `name` as a path's beginning, not as the end of a longer name, nor of a path to a module of ours with that name.
fn names(line: &str, name: &str) -> bool {
    line.match_indices(name)
        .any(|(at, _)| !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':'))
}

#[track_caller]
fn none(what: &str, places: impl Iterator<Item = String>) {
    let places: Vec<_> = places.collect();
    assert!(places.is_empty(), "{what}:\n{}", places.join("\n"));
}

/// Every Rust file that is written by hand.
fn sources() -> Vec<Source> {
    let mut folders: Vec<PathBuf> =
        ["host", "guest-sdk", "examples", "tests"].iter().map(|name| checkout().join(name)).collect();
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the checkout is complete") {
            let path = entry.expect("a readable folder").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() && name != "target" && !path.is_symlink() {
                folders.push(path);
            } else if name.ends_with(".rs") {
                let text = std::fs::read_to_string(&path).expect("a source is text");
                let path = path.strip_prefix(checkout()).expect("inside").display().to_string();
                sources.push(Source { path, text });
            }
        }
    }
    sources
}
