//! Compiling a component, which may take more time and memory than it is worth: in a process of its own, which is ended when
//! its time is over and can not take more memory than it may have. The process is this program, called as `lakou compile`.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wasmtime::Engine;

use super::engine::{self, Dimensions};

/// Memory of the process that compiles: some dozens of times what the largest component has.
const MEMORY: u64 = 4 * 1024 * 1024 * 1024;

/// By how much compiling is less urgent than serving.
const NICE: i32 = 10;

/// How much of what the process complains about is kept.
const COMPLAINT: u64 = 4096;

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
    let code = engine.and_then(|engine| engine.precompile_component(&wasm)).map_err(|error| format!("{error:#}"))?;
    std::io::stdout().write_all(&code).map_err(|error| error.to_string())
}

/// In this process: what takes too long is left to itself.
fn here(engine: &Engine, wasm: &[u8], time: Duration) -> Result<Vec<u8>, NotCompiled> {
    let (engine, wasm) = (engine.clone(), wasm.to_vec());
    let (done, result) = channel();
    std::thread::spawn(move || {
        // Nobody waits any more if it is late.
        let _ = done.send(engine.precompile_component(&wasm).map_err(|error| format!("{error:#}")));
    });
    match result.recv_timeout(time) {
        Ok(result) => result.map_err(NotCompiled::Wrong),
        Err(RecvTimeoutError::Timeout) => Err(NotCompiled::Late(time)),
        Err(RecvTimeoutError::Disconnected) => Err(NotCompiled::Wrong("the compiler panicked".into())),
    }
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
    let (done, result) = channel();
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
