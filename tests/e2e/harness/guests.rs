//! The guests: every crate in `examples/` and `tests/guests/`, built for wasm once a test process, and the real binary
//! along with them. Cargo has let go of its lock when tests run, so that it can be called again here.

use super::folder::{checkout, scratch};
use super::wasm::patched;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The compiled component of the crate in the folder `name`.
pub(crate) fn wasm(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).expect("cargo has just built it")
}

/// Where the compiled component of the crate in the folder `name` is.
pub(crate) fn path(name: &str) -> &'static Path {
    static BUILT: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(build_all);
    built.get(name).unwrap_or_else(|| panic!("no guest `{name}`; there are {:?}", built.keys()))
}

/// A component as [`wasm`], under another name of the same length: its embedded defaults are changed in place.
pub(crate) fn renamed(name: &str, other: &str) -> Vec<u8> {
    let (bytes, names) = patched(&wasm(name), &format!("\"{name}\""), &format!("\"{other}\""));
    let (bytes, paths) = patched(&bytes, &format!("\"/{name}/"), &format!("\"/{other}/"));
    assert!(names > 0 && paths > 0, "the guest `{name}` embeds its name and its path");
    bytes
}

/// A component as [`wasm`], whose embedded name is `name` and becomes `other`, which is no longer.
pub(crate) fn under_the_name(bytes: &[u8], name: &str, other: &str) -> Vec<u8> {
    let (from, to) = (format!("\"{name}\""), format!("\"{other}\""));
    // JSON takes any number of spaces behind a text.
    let (bytes, names) = patched(bytes, &from, &format!("{to:<width$}", width = from.len()));
    assert!(names > 0, "the guest embeds its name");
    bytes
}

/// The folders of `examples/` that are crates.
pub(crate) fn examples() -> Vec<String> {
    crates_in("examples").into_iter().map(|(folder, _)| folder).collect()
}

/// The `lakou` binary, built as for a user.
pub(crate) fn binary() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        cargo(checkout(), "build", &["-p", "lakou-host", "--bin", "lakou"]);
        target().join("release/lakou")
    })
}

/// Builds the crate in `folder`, which is none of ours, and gives its component.
pub(crate) fn build(folder: &Path) -> Vec<u8> {
    let messages = cargo(folder, "build", FOR_WASM);
    let (_, path) = components(&messages).next().expect("the crate makes a component");
    std::fs::read(path).expect("cargo has just built it")
}

/// Runs the native tests of the crate in `folder`.
pub(crate) fn test(folder: &Path) {
    cargo(folder, "test", &[]);
}

/// What makes components, and says where they are.
const FOR_WASM: &[&str] = &["--target", "wasm32-wasip2", "--message-format", "json-render-diagnostics"];

fn build_all() -> BTreeMap<String, PathBuf> {
    let crates: Vec<_> = crates_in("examples").into_iter().chain(crates_in("tests/guests")).collect();
    let packages = crates.iter().flat_map(|(_, package)| ["-p", package]);
    let messages = cargo(checkout(), "build", &FOR_WASM.iter().copied().chain(packages).collect::<Vec<_>>());
    components(&messages).collect()
}

/// The folder and the component of each crate that cargo's messages tell of.
fn components(messages: &str) -> impl Iterator<Item = (String, PathBuf)> {
    messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let folder = Path::new(message["manifest_path"].as_str()?).parent()?.file_name()?.to_str()?;
        let mut files = message["filenames"].as_array()?.iter().filter_map(|name| name.as_str());
        let wasm = files.find(|name| name.ends_with(".wasm"))?;
        Some((folder.to_owned(), PathBuf::from(wasm)))
    })
}

/// Folder name and package name of each crate in `parent`.
fn crates_in(parent: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(checkout().join(parent)).expect("the checkout is complete");
    let mut crates: Vec<_> = entries
        .filter_map(|entry| {
            let folder = entry.expect("a readable folder").path();
            let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).ok()?;
            let name = manifest.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))?;
            Some((folder.file_name()?.to_str()?.to_owned(), name.to_owned()))
        })
        .collect();
    crates.sort();
    crates
}

/// What `cargo tree` prints in `folder`.
pub(crate) fn cargo_tree(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program()).args(["tree", "--quiet"]).args(arguments).current_dir(folder).output();
    let output = output.expect("cargo can be run");
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

fn program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Runs a command of cargo's in `folder`, for the release profile, and gives its standard output.
fn cargo(folder: &Path, command: &str, arguments: &[&str]) -> String {
    let output = Command::new(program())
        .args([command, "--quiet", "--release", "--target-dir"])
        .arg(target())
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("cargo can be run");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {command} {arguments:?}:\n{said}\n{errors}");
    said
}

fn target() -> &'static Path {
    scratch().parent().expect("the scratch folder is inside the target folder")
}
