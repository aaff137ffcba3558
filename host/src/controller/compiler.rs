//! Compiling a component, which may take more time and memory than it is worth: in a process of its own, which is ended when
//! its time is over and can not take more memory than it may have. The process is this program, called as `lakou compile`.

use std::any::Any;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wasmtime::Engine;

use super::engine::{self, Dimensions};
use crate::text::cut;

/// Memory of the process that compiles: some dozens of times what the largest component has.
const MEMORY: u64 = 4 * 1024 * 1024 * 1024;

/// By how much compiling is less urgent than serving.
const NICE: i32 = 10;

/// How much of what the process complains about is kept.
const COMPLAINT: u64 = 4096;

/// How much of a panic's words is kept: some quote the whole component.
const PANIC: usize = 300;

/// Why a component was not compiled.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotCompiled {
    #[error("{0}")]
    Wrong(String),
    /// Not within its time.
    #[error("takes longer than {0:?} to compile")]
    Late(Duration),
}

/// Compiles `wasm` for `engine`, within `time`. Blocks.
pub(super) fn compile(
    engine: &Engine,
    dimensions: Dimensions,
    program: Option<&Path>,
    wasm: &[u8],
    time: Duration,
) -> Result<Vec<u8>, NotCompiled> {
    match program {
        Some(program) => elsewhere(program, dimensions, wasm, time),
        None => here(engine, wasm, time),
    }
}

/// The other end: compiles what comes from standard input to standard output.
///
/// # Errors
///
/// What is wrong with the component, or with one of the two.
pub(crate) fn serve(arguments: [usize; 4]) -> Result<(), String> {
    // Beyond it the process ends, which is what the other end says then.
    let limit = Rlimit { current: Some(MEMORY), maximum: Some(MEMORY) };
    let lower = |own: Option<u64>| own.is_none_or(|own| own > MEMORY);
    if lower(getrlimit(Resource::Data).maximum) {
        let _ = setrlimit(Resource::Data, limit);
    }
    // Less urgent or not, it compiles the same.
    let _ = rustix::process::nice(NICE);
    let [instances, memory, table_elements, stack] = arguments;
    let instances = u32::try_from(instances).map_err(|_| "too many instances".to_owned())?;
    let engine = engine::start(Dimensions { instances, memory, table_elements, stack });
    let mut wasm = Vec::new();
    std::io::stdin().read_to_end(&mut wasm).map_err(|error| error.to_string())?;
    // The other end writes one line about it; a backtrace is for nobody.
    std::panic::set_hook(Box::new(|_| ()));
    let code = precompile(&engine.map_err(|error| format!("{error:#}"))?, &wasm)?;
    std::io::stdout().write_all(&code).map_err(|error| error.to_string())
}

/// In this process: what takes too long is left to itself.
fn here(engine: &Engine, wasm: &[u8], time: Duration) -> Result<Vec<u8>, NotCompiled> {
    let (engine, wasm) = (engine.clone(), wasm.to_vec());
    let (done, result) = sync_channel(1);
    keep_quiet();
    COMPILING.fetch_add(1, Ordering::AcqRel);
    let compiling = std::thread::Builder::new().name("compile".into()).spawn(move || {
        // Nobody waits any more if it is late.
        let _ = done.send(precompile(&engine, &wasm));
        COMPILING.fetch_sub(1, Ordering::AcqRel);
    });
    if let Err(error) = compiling {
        COMPILING.fetch_sub(1, Ordering::AcqRel);
        return Err(NotCompiled::Wrong(format!("there is no thread for the compiler: {error}")));
    }
    match result.recv_timeout(time) {
        Ok(result) => result.map_err(NotCompiled::Wrong),
        Err(RecvTimeoutError::Timeout) => Err(NotCompiled::Late(time)),
        Err(RecvTimeoutError::Disconnected) => Err(NotCompiled::Wrong("the compiler has ended".into())),
    }
}

/// Compiles, whatever the compiler does: it is large, and there are components that it does not expect.
fn precompile(engine: &Engine, wasm: &[u8]) -> Result<Vec<u8>, String> {
    caught(|| engine.precompile_component(wasm).map_err(|error| format!("{error:#}")))
}

fn caught(compile: impl FnOnce() -> Result<Vec<u8>, String>) -> Result<Vec<u8>, String> {
    match catch_unwind(AssertUnwindSafe(compile)) {
        Ok(compiled) => compiled,
        Err(panic) => Err(format!("the compiler panicked: {}", cut(words(&*panic), PANIC))),
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word")
}

/// Compilers that run in this process.
static COMPILING: AtomicUsize = AtomicUsize::new(0);

/// A panic of a compiler in this process writes nothing to standard error. Its threads are the only ones without a name.
fn keep_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if COMPILING.load(Ordering::Acquire) == 0 || std::thread::current().name().is_some() {
                usual(panic);
            }
        }));
    });
}

fn elsewhere(program: &Path, dimensions: Dimensions, wasm: &[u8], time: Duration) -> Result<Vec<u8>, NotCompiled> {
    let wrong = |error: std::io::Error| NotCompiled::Wrong(format!("{} can not be run: {error}", program.display()));
    let Dimensions { instances, memory, table_elements, stack } = dimensions;
    let arguments = [instances as usize, memory, table_elements, stack].map(|number| number.to_string());
    let mut command = Command::new(program);
    command.arg("compile").args(arguments);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(wrong)?;
    let mut child = Ended(child);
    let (mut input, mut output) = (child.0.stdin.take(), child.0.stdout.take());
    let (done, result) = sync_channel(1);
    std::thread::scope(|scope| {
        // One that ends early does not read everything, and says why.
        scope.spawn(move || input.take().map(|mut input| input.write_all(wasm)));
        scope.spawn(move || {
            let mut code = Vec::new();
            let read = output.take().map_or(Ok(0), |mut output| output.read_to_end(&mut code));
            let _ = done.send(read.map(|_| code));
        });
        let code = result.recv_timeout(time);
        if code.is_err() {
            // Ends the threads, too: their pipes break.
            let _ = child.0.kill();
        }
        let status = child.0.wait().map_err(wrong)?;
        match code {
            Err(_elapsed) => Err(NotCompiled::Late(time)),
            Ok(Ok(code)) if status.success() => Ok(code),
            Ok(Err(error)) => Err(wrong(error)),
            Ok(Ok(_)) => {
                let mut complaint = String::new();
                let stderr = child.0.stderr.take();
                let _ = stderr.map(|stderr| stderr.take(COMPLAINT).read_to_string(&mut complaint));
                let complaint = complaint.trim();
                let why =
                    if complaint.is_empty() { format!("the compiler ended with {status}") } else { complaint.into() };
                Err(NotCompiled::Wrong(why))
            }
        }
    })
}

/// A process that does not outlive the wish for what it makes.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // Mostly it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::caught;

    #[test]
    fn a_panic_of_the_compiler_is_one_line() {
        assert_eq!(caught(|| Ok(vec![1])), Ok(vec![1]));
        assert_eq!(caught(|| Err("odd".to_owned())), Err("odd".to_owned()));
        let panics = |words: String| caught(move || std::panic::panic_any(words));
        assert_eq!(panics("no such adapter".to_owned()), Err("the compiler panicked: no such adapter".to_owned()));
        assert!(panics("x".repeat(10_000)).is_err_and(|wrong| wrong.len() < 400));
        assert!(caught(|| std::panic::panic_any(7)).is_err_and(|wrong| wrong.ends_with("without a word")));
    }
}
