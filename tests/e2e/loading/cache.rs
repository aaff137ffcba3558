//! Compiling: on all cores, and once. Compiled code is kept beside nothing else, checked before it is run (it is native code),
//! and private.

use crate::harness::folder::Folder;
use crate::harness::guests;
use crate::harness::host::TestHost;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Starts a host with this cache, and shows that the echo works.
async fn serve_with(cache: &Path) {
    let cache = cache.to_owned();
    let host = TestHost::serving(&["echo"]).config(|config| config.cache = Some(cache)).start().await;
    host.connect("/echo").await.exchange("hi", "hi").await;
}

/// The only file in the cache.
fn only_file(cache: &Path) -> PathBuf {
    let mut files: Vec<_> = walk(cache);
    assert_eq!(files.len(), 1, "one component, one file: {files:?}");
    files.remove(0)
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder that was just written");
    let paths = entries.map(|entry| entry.expect("readable").path());
    paths.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// What changes when a file is written anew: it is written under another name first.
fn identity(file: &Path) -> u64 {
    file.metadata().expect("a file").ino()
}

#[tokio::test]
async fn the_second_start_does_not_compile() {
    let folder = Folder::new();
    let cache = folder.join("cache");
    serve_with(&cache).await;
    let first = identity(&only_file(&cache));
    serve_with(&cache).await;
    assert_eq!(identity(&only_file(&cache)), first, "compiling would have written the file anew");
}

#[tokio::test]
async fn a_changed_component_is_compiled_again() {
    let folder = Folder::new();
    let cache = folder.join("cache");
    serve_with(&cache).await;
    let changed = crate::harness::wasm::with_custom_section(&guests::wasm("echo"), "note", b"other bytes, same code");
    let path = cache.clone();
    let host = TestHost::bare().file("echo.wasm", changed).config(|config| config.cache = Some(path)).start().await;
    host.connect("/echo").await.exchange("hi", "hi").await;
    assert_eq!(walk(&cache).len(), 2, "the key is the content, not the file's name");
}

#[tokio::test]
async fn a_damaged_file_is_compiled_again() {
    type Damage = fn(Vec<u8>) -> Vec<u8>;
    let damages: [(&str, Damage); 5] = [
        ("empty", |_| Vec::new()),
        ("truncated", |bytes| bytes[..bytes.len() / 2].to_vec()),
        ("one byte short", |bytes| bytes[..bytes.len() - 1].to_vec()),
        ("not compiled code", |_| b"hello, world".to_vec()),
        // In the machine code itself, where no header tells.
        ("one bit flipped", |mut bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            bytes
        }),
    ];
    let folder = Folder::new();
    let cache = folder.join("cache");
    serve_with(&cache).await;
    let file = only_file(&cache);
    let good = std::fs::read(&file).expect("a file that was just written");
    for (what, damage) in damages {
        std::fs::write(&file, damage(good.clone())).expect("our own file");
        serve_with(&cache).await;
        assert!(std::fs::read(&file).expect("still there") == good, "{what}: replaced by good code");
    }
}

#[tokio::test]
async fn servers_that_start_together_share_it() {
    let folder = Folder::new();
    let cache = folder.join("cache");
    tokio::join!(serve_with(&cache), serve_with(&cache), serve_with(&cache), serve_with(&cache));
    serve_with(&cache).await;
    only_file(&cache);
}

#[tokio::test]
async fn the_folder_is_private() {
    let folder = Folder::new();
    let cache = folder.join("deep/cache");
    serve_with(&cache).await;
    let mode = cache.metadata().expect("it was made").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn a_folder_that_others_can_write_to_is_not_trusted() {
    let folder = Folder::new();
    let cache = folder.join("cache");
    std::fs::create_dir(&cache).expect("our own folder");
    std::fs::set_permissions(&cache, PermissionsExt::from_mode(0o777)).expect("our own folder");
    let path = cache.clone();
    let start = TestHost::serving(&["echo"]).config(|config| config.cache = Some(path)).try_start().await;
    match start {
        Err(error) => assert!(error.contains("cache"), "{error}"),
        Ok(host) => {
            let mode = cache.metadata().expect("it is there").permissions().mode();
            let unused = walk(&cache).is_empty();
            assert!(unused || mode & 0o022 == 0, "code in a folder that others can write to");
            host.connect("/echo").await.exchange("hi", "hi").await;
        }
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_to_costs_only_time() {
    let folder = Folder::new();
    let file = folder.write("a file, not a folder", "");
    let start = TestHost::serving(&["echo"]).config(|config| config.cache = Some(file.join("cache"))).try_start().await;
    match start {
        Ok(host) => host.connect("/echo").await.exchange("hi", "hi").await,
        Err(error) => assert!(error.contains("cache"), "or is said in one line: {error}"),
    }
}

/// A compiler that does something before it compiles; `$DIR` is a folder for it.
fn compiler(folder: &Folder, before: &str) -> PathBuf {
    let state = folder.join("state");
    std::fs::create_dir(&state).expect("a new folder");
    let script = format!("#!/bin/sh\nDIR={}\n{before}\nexec {} \"$@\"\n", state.display(), guests::binary().display());
    folder.write("compiler", script);
    let path = folder.join("compiler");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).expect("a file of ours");
    path
}

#[tokio::test]
async fn components_are_compiled_side_by_side() {
    let folder = Folder::new();
    // The first one waits until there is a second.
    let program = compiler(&folder, "touch $DIR/$$; until [ $(ls $DIR | wc -l) -ge 2 ]; do sleep 0.01; done");
    let host = TestHost::serving(&["echo", "probe"])
        .config(|config| {
            config.compiler = Some(program);
            config.cache = None;
            config.guest.compile_time = Duration::from_secs(30);
        })
        .start()
        .await;
    assert!(host.rejected.is_empty(), "{:?}", host.rejected);
    let names: Vec<_> = host.mounts.iter().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["echo", "probe"], "in the order of their names");
    host.connect("/echo").await.exchange("hi", "hi").await;
}

#[tokio::test]
async fn who_is_late_beside_others_is_compiled_by_itself() {
    let folder = Folder::new();
    let program = compiler(&folder, "mkdir $DIR/first 2>/dev/null && exec sleep 600");
    let host = TestHost::serving(&["echo", "chat"])
        .config(|config| {
            config.compiler = Some(program);
            config.cache = None;
            config.guest.compile_time = Duration::from_secs(8);
        })
        .start()
        .await;
    assert!(host.rejected.is_empty(), "{:?}", host.rejected);
    assert!(host.counted().limits.values().all(|limits| limits.get("compile-time").is_none_or(|hits| *hits == 0)));
}

#[tokio::test]
async fn who_is_compiled_is_said() {
    let lakou = || crate::harness::binary::Call::serve().guests(&["echo"]).anywhere();
    let folder = Folder::new();
    let (first, _) = lakou().env("LAKOU_CACHE", folder.join("cache")).listening().await;
    let line = first.logs(&["compiling echo ("]).await;
    assert!(line.ends_with("kB)") || line.ends_with("MB)"), "{line}");
    drop(first);
    let (second, _) = lakou().env("LAKOU_CACHE", folder.join("cache")).listening().await;
    assert!(second.stderr().iter().all(|line| !line.contains("compiling")), "{:?}", second.stderr());
}
