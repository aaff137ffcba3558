//! Turns a folder of files into mounted controllers, on all cores. Each file is loaded by itself (`load`), so that one bad file is
//! one line in the log and the others are served.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::cache::Cache;
use super::class::Class;
use super::environment::Environment;
use super::load::{Cause, LoadError, Mount, load};
use crate::config::Config;
use crate::limit::Limit;

/// How many MiB of components are compiled at a time; a larger one is compiled alone. A compiler takes some dozens of times as
/// much memory.
const AT_A_TIME: u32 = 64;

type Loaded = Result<(Arc<Class>, Mount), Cause>;

/// Loads every `*.wasm` of the configured folder, in the order of the file names.
///
/// # Errors
///
/// The folder can not be read; a bad file is no error but an entry of the second list.
pub(crate) async fn load_folder(
    environment: &Arc<Environment>,
) -> std::io::Result<(Vec<(Arc<Class>, Mount)>, Vec<LoadError>)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(&environment.settings.controllers)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "wasm"));
    files.sort();
    let cache = Arc::new(open_cache(&environment.settings));
    let mut results = load_all(environment, &cache, &files).await;
    let mut loaded: Vec<(Arc<Class>, Mount)> = Vec::new();
    let mut rejected = Vec::new();
    let mut names: BTreeMap<Arc<str>, String> = BTreeMap::new();
    for (number, file) in files.iter().enumerate() {
        let mut result = results.remove(&number).unwrap_or_else(|| Err(ended("loading it has ended")));
        if let Err(Cause::CompileTime { name, .. }) = &result
            && files.len() > 1
        {
            // Beside others it may be late though it takes no longer than it may.
            tracing::info!("compiling {name} once more, by itself");
            result = load_one(Arc::clone(environment), Arc::clone(&cache), file.clone()).await;
        }
        if let Err(Cause::CompileTime { name, late }) = &result {
            let hits = environment.metrics.limits.of(name);
            hits.hit(Limit::CompileTime, format_args!("it {late}: it is not served"));
        }
        let result = result.and_then(|(class, mount)| match names.get(&class.name) {
            Some(other) => Err(Cause::SameName { name: mount.name, other: other.clone() }),
            None => Ok((class, mount)),
        });
        match result {
            Ok((class, mount)) => {
                names.insert(Arc::clone(&class.name), mount.file.display().to_string());
                loaded.push((class, mount));
            }
            Err(cause) => rejected.push(LoadError { file: file.clone(), cause: one_line(&cause.to_string()) }),
        }
    }
    if let Some(cache) = cache.as_ref() {
        cache.prune();
    }
    Ok((loaded, rejected))
}

/// Loads as many files at a time as there are cores, unless they are large; by their number.
async fn load_all(
    environment: &Arc<Environment>,
    cache: &Arc<Option<Cache>>,
    files: &[PathBuf],
) -> BTreeMap<usize, Loaded> {
    let cores = Arc::new(Semaphore::new(available_parallelism().map_or(1, usize::from)));
    let memory = Arc::new(Semaphore::new(AT_A_TIME as usize));
    let mut tasks = JoinSet::new();
    for (number, file) in files.iter().enumerate() {
        let (environment, cache, file) = (Arc::clone(environment), Arc::clone(cache), file.clone());
        let (cores, memory) = (Arc::clone(&cores), Arc::clone(&memory));
        let share = share(&file);
        tasks.spawn(async move {
            // Neither is ever closed; who waits for memory holds no more than a core, which nobody needs to give memory back.
            let _core = cores.acquire().await;
            let _memory = memory.acquire_many(share).await;
            (number, load_one(environment, cache, file).await)
        });
    }
    let mut results = BTreeMap::new();
    while let Some(task) = tasks.join_next().await {
        results.extend(task.ok());
    }
    results
}

/// The part of the memory that is taken for compiling a file.
fn share(file: &Path) -> u32 {
    let size = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    u32::try_from(size / (1024 * 1024) + 1).unwrap_or(AT_A_TIME).min(AT_A_TIME)
}

async fn load_one(environment: Arc<Environment>, cache: Arc<Option<Cache>>, file: PathBuf) -> Loaded {
    // Compiling takes a core for as long as it takes; the runtime's threads have other things to do.
    let loading = tokio::task::spawn_blocking(move || load(&environment, cache.as_ref().as_ref(), &file));
    loading.await.unwrap_or_else(|panic| Err(ended(&format!("the compiler panicked: {panic}"))))
}

fn ended(why: &str) -> Cause {
    Cause::Compile(why.to_owned())
}

fn open_cache(settings: &Config) -> Option<Cache> {
    let folder = settings.cache.as_deref()?;
    Cache::open(folder)
        .map_err(|error| tracing::warn!(folder = %folder.display(), %error, "compiled code is not cached"))
        .ok()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
