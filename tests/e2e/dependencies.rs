//! What cargo compiles, and how often: wasmtime takes minutes, and should take them once.

use crate::harness::folder::checkout;
use crate::harness::guests::cargo_tree;
use std::collections::BTreeSet;

/// The host alone (as a user builds it) and the whole workspace (as `make test` builds it) agree on the features of
/// every crate that the host needs. Where they differ, cargo compiles that crate and all that depends on it twice.
#[test]
fn wasmtime_is_compiled_once() {
    let host = crates(&["-p", "lakou-host", "-e", "normal"]);
    let workspace = crates(&["--workspace", "-e", "normal,dev"]);
    let twice: Vec<_> = host.difference(&workspace).collect();
    assert!(twice.is_empty(), "other features in the workspace (set them in [workspace.dependencies]): {twice:#?}");
}

/// Each crate with its version and its features.
fn crates(selection: &[&str]) -> BTreeSet<String> {
    let tree = cargo_tree(checkout(), &[selection, &["--prefix", "none", "-f", "{p} {f}"]].concat());
    tree.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}
