//! Turns a file into a mounted controller: it is read, checked, compiled and linked, or there is one line that says why not. Which
//! files, and how many at a time, is the matter of `folder`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytesize::ByteSize;
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, InstancePre, Linker, Type};
use wasmtime_wasi_http::p2::bindings::ProxyPre;

use super::bindings::GrantedWorldPre;
use super::breaker::Breaker;
use super::cache::{self, Cache, Compiled};
use super::class::Class;
use super::compiler::{self, NotCompiled};
use super::contract;
use super::dial::Outward;
use super::engine_errors::missing_import;
use super::environment::Environment;
use super::grants::Granted;
use super::imports;
use super::manifest::{self, ManifestError};
use super::outline::Outline;
use super::output::Output;
use super::placement::Placement;
use super::plain::WaitingInstances;
use super::state::GuestState;
use crate::config::{ControllerConfig, GuestLimits};
use crate::identities::Postman;
use crate::limit::Limit;
use crate::rate::{RateLimit, Seldom};
use crate::text::printable;

/// The export that makes a component a controller.
const CONTROLLER: &str = "lakou:controller/controller@0.1.0";

/// What all versions of the contract begin with.
const CONTRACT: &str = "lakou:controller/";

/// The export that answers plain requests, of any 0.2 version.
const HTTP_HANDLER: &str = "wasi:http/incoming-handler@0.2";

/// What was mounted.
#[derive(Debug, Clone)]
pub struct Mount {
    /// How other controllers address it.
    pub name: String,
    /// The pattern that it answers on; none: it answers nobody, and is a service.
    pub path: Option<String>,
    /// The file that it was loaded from.
    pub file: PathBuf,
    /// Whether it takes WebSocket connections.
    pub websocket: bool,
    /// Whether it answers plain HTTP requests.
    pub http: bool,
    /// Whether it runs without clients, too.
    pub service: bool,
    /// Whether the cache had its compiled form.
    pub from_cache: bool,
}

impl fmt::Display for Mount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mounted = self.path.is_some();
        let ways =
            [(self.websocket && mounted, "websocket"), (self.http && mounted, "http"), (self.service, "service")];
        let ways: Vec<&str> = ways.iter().filter(|(there, _)| *there).map(|(_, way)| *way).collect();
        let answers = if ways.is_empty() { "off".to_owned() } else { ways.join(", ") };
        // Names and paths are what a component and a folder say.
        let (name, path) = (printable(&self.name), printable(self.path.as_deref().unwrap_or("-")));
        let file = self.file.file_name().unwrap_or_default().to_string_lossy();
        write!(formatter, "{name:<16} {path:<24} {answers:<16} {}", printable(&file))
    }
}

/// A file that is not served, and why.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: {}", printable(&file.to_string_lossy()), printable(.cause))]
pub struct LoadError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it, on one line.
    pub cause: String,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Cause {
    #[error("can not be read: {0}")]
    Read(#[from] std::io::Error),
    #[error("is no file")]
    NoFile,
    #[error("over max-component: has {0} bytes; at most {1} are read")]
    Size(u64, usize),
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error("does not compile: {0}")]
    Compile(String),
    #[error("over compile-time: {late}")]
    CompileTime { name: String, late: NotCompiled },
    #[error("imports `{0}`, which this host does not offer")]
    Import(String),
    #[error("imports `{import}`, which is not granted: write {grant} into [controller.{name}] of lakou.toml")]
    NotGranted { import: String, grant: &'static str, name: String },
    #[error("{0}")]
    Grant(String),
    #[error("does not fit this host: {0}")]
    World(String),
    #[error(
        "exports neither `{CONTROLLER}` nor `wasi:http/incoming-handler@0.2`, so nothing can reach it (exports: {0})"
    )]
    Exports(String),
    #[error("exports `{0}`; this host knows `{CONTROLLER}` only: build it with the SDK of this version")]
    Version(String),
    #[error("the controller's name {0}")]
    Name(String),
    #[error("a controller named {name:?} is already loaded from {other}: rename one of them")]
    SameName { name: String, other: String },
    #[error("is to be a service and does not export `{CONTROLLER}`: there is no object to make")]
    NoService,
    #[error("its path {0:?} does not begin with `/`")]
    Path(String),
}

/// Loads one file. Blocks, for as long as compiling takes.
pub(super) fn load(
    environment: &Arc<Environment>,
    cache: Option<&Cache>,
    file: &Path,
) -> Result<(Arc<Class>, Mount), Cause> {
    let settings = &environment.settings;
    let metadata = std::fs::metadata(file)?;
    if !metadata.is_file() {
        return Err(Cause::NoFile);
    }
    // Its name is not known before it is read, so this goes by the largest that any controller may have, and the name of the
    // file.
    let most = settings.all_limits().map(|limits| limits.max_component).max().unwrap_or_default();
    let size = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    if size > most {
        return Err(too_large(environment, &file.file_stem().unwrap_or_default().to_string_lossy(), size, most));
    }
    let wasm = std::fs::read(file)?;
    let defaults = manifest::read(&wasm)?;
    let name = match defaults.name {
        Some(name) => name,
        None => stem(file)?,
    };
    let overrides = settings.overrides.get(&name).cloned().unwrap_or_default();
    let limits = settings.guest.with(&overrides);
    if wasm.len() > limits.max_component {
        return Err(too_large(environment, &name, wasm.len(), limits.max_component));
    }
    // What is missing is known before a compiler has worked for it.
    let outline = Outline::read(&wasm).map_err(|error| ManifestError::NotWasm(error.to_string()))?;
    let ways = ways(&outline.exports)?;
    let service = overrides.service.unwrap_or(defaults.service);
    if service && !ways.sockets {
        return Err(Cause::NoService);
    }
    let granted = Granted::new(&name, &overrides.grants, &settings.messaging).map_err(Cause::Grant)?;
    let mut linker = environment.linker(limits.stack).1.clone();
    imports::add_granted(&mut linker, &granted).map_err(|error| Cause::World(format!("{error:#}")))?;
    if let Some(imports) = outline.imports(linker.engine()) {
        linker.instantiate_pre(&imports).map_err(|error| missing(&error, &name))?;
    }
    let (component, compiled) = compile(environment, cache, &wasm, &name, &limits)?;
    let linked = link(&linker, &component, &name, &ways)?;
    let path = match (overrides.path.as_deref(), defaults.path.as_deref()) {
        // Nothing but a service, even where the operator has switched that off.
        (None, None) if defaults.service => None,
        (operator, component) => Some(mount_path(&name, operator, component, linked.sockets.is_some())?),
    };
    let bearing = Bearing { path, service, resumable: defaults.resume };
    let class = class(environment, &name, bearing, linked, granted, &overrides);
    let mount = Mount {
        name,
        path: class.path.clone(),
        file: file.to_owned(),
        websocket: class.has_sockets(),
        http: class.has_http(),
        service,
        from_cache: compiled == Compiled::Before,
    };
    Ok((class, mount))
}

fn compile(
    environment: &Environment,
    cache: Option<&Cache>,
    wasm: &[u8],
    name: &str,
    limits: &GuestLimits,
) -> Result<(Component, Compiled), Cause> {
    let (dimensions, linker) = environment.linker(limits.stack);
    let (engine, program) = (linker.engine(), environment.settings.compiler.as_deref());
    let compile = || {
        tracing::info!("compiling {name} ({})", ByteSize(wasm.len() as u64).display().si());
        compiler::compile(engine, *dimensions, program, wasm, limits.compile_time)
    };
    let compiled = match cache {
        Some(cache) => cache.component(engine, wasm, compile),
        None => compile().and_then(|code| cache::fresh(engine, &code)).map(|component| (component, Compiled::Now)),
    };
    compiled.map_err(|wrong| match wrong {
        NotCompiled::Wrong(wrong) => Cause::Compile(wrong),
        late @ NotCompiled::Late(_) => Cause::CompileTime { name: name.to_owned(), late },
    })
}

fn too_large(environment: &Environment, name: &str, size: usize, limit: usize) -> Cause {
    let what = format_args!("a file of {size} bytes is over {limit}: it is not served");
    environment.metrics.limits.of(name).hit(Limit::Component, what);
    Cause::Size(size as u64, limit)
}

/// The two ways into a component.
struct Linked {
    sockets: Option<GrantedWorldPre<GuestState>>,
    http: Option<ProxyPre<GuestState>>,
}

/// The ways in that a component has by the names of its exports.
struct Ways {
    sockets: bool,
    /// Under what name it answers plain requests.
    http: Option<String>,
}

fn ways(exports: &[String]) -> Result<Ways, Cause> {
    if let Some(other) = exports.iter().find(|name| name.starts_with(CONTRACT) && *name != CONTROLLER) {
        return Err(Cause::Version(other.clone()));
    }
    let sockets = exports.iter().any(|name| name == CONTROLLER);
    let http = exports.iter().find(|name| name.starts_with(HTTP_HANDLER)).cloned();
    if !sockets && http.is_none() {
        return Err(Cause::Exports(exports.join(", ")));
    }
    Ok(Ways { sockets, http })
}

fn link(linker: &Linker<GuestState>, component: &Component, name: &str, ways: &Ways) -> Result<Linked, Cause> {
    let world = |error: wasmtime::Error| Cause::World(format!("{error:#}"));
    if let Some(name) = &ways.http {
        check_handler(component, name, linker.engine())?;
    }
    let pre: InstancePre<GuestState> = linker.instantiate_pre(component).map_err(|error| missing(&error, name))?;
    if ways.sockets {
        contract::check(&pre, CONTROLLER).map_err(Cause::World)?;
    }
    Ok(Linked {
        sockets: ways.sockets.then(|| GrantedWorldPre::new(pre.clone())).transpose().map_err(world)?,
        http: ways.http.is_some().then(|| ProxyPre::new(pre)).transpose().map_err(world)?,
    })
}

/// Linking goes by the name of the handler; that it takes a request and a place for the answer would only be found out by the
/// first request.
fn check_handler(component: &Component, name: &str, engine: &Engine) -> Result<(), Cause> {
    let component_type = component.component_type();
    let handler = component_type.get_export(engine, name).map(|export| export.ty);
    let handle = match handler {
        Some(ComponentItem::ComponentInstance(handler)) => handler.get_export(engine, "handle").map(|export| export.ty),
        _ => None,
    };
    if let Some(ComponentItem::ComponentFunc(handle)) = handle {
        let parameters: Vec<Type> = handle.params().map(|(_, parameter)| parameter).collect();
        if matches!(parameters[..], [Type::Own(_), Type::Own(_)]) && handle.results().len() == 0 {
            return Ok(());
        }
    }
    Err(Cause::World(format!("`handle` of `{name}` is not a function of a request and a response-outparam")))
}

/// Names the import that the linker did not find, if that is what is wrong.
fn missing(error: &wasmtime::Error, name: &str) -> Cause {
    let Some(import) = missing_import(error) else { return Cause::World(format!("{error:#}")) };
    match imports::grant_for(&import) {
        Some(grant) => Cause::NotGranted { import, grant, name: name.to_owned() },
        None => Cause::Import(import),
    }
}

/// What a component says of itself, and the operator of it.
struct Bearing {
    path: Option<String>,
    service: bool,
    resumable: bool,
}

fn class(
    environment: &Arc<Environment>,
    name: &str,
    bearing: Bearing,
    linked: Linked,
    granted: Granted,
    overrides: &ControllerConfig,
) -> Arc<Class> {
    let settings = &environment.settings;
    let name: Arc<str> = name.into();
    let limits = settings.guest.with(overrides);
    let shares = settings.shares(overrides);
    let hits = environment.metrics.limits.of(&name);
    let (log_rate, metrics) = (per_second(limits.log_rate), &environment.metrics);
    let Bearing { path, service, resumable } = bearing;
    Arc::new(Class {
        path,
        service,
        origins: overrides.origins.clone().unwrap_or_else(|| settings.origins.clone()),
        environment: Arc::clone(environment),
        output: Arc::new(Output::new(Arc::clone(&name), Arc::clone(metrics), Arc::clone(&hits), log_rate)),
        breaker: Breaker::new(Arc::clone(&name), Arc::clone(metrics), limits.max_failures),
        slots: Arc::new(Semaphore::new(shares.instances)),
        request_slots: Arc::new(Semaphore::new(shares.requests)),
        emitted: RateLimit::new(per_second(limits.event_rate)),
        none_chosen: Seldom::default(),
        asked: RateLimit::new(per_second(limits.store_rate)),
        postman: Arc::new(Postman::new()),
        engine: environment.linker(limits.stack).1.engine().clone(),
        hits,
        shares,
        sockets: linked.sockets,
        http: linked.http,
        waiting_instances: WaitingInstances::default(),
        placement: Placement::new(limits.connections_per_instance),
        outward: Outward::default(),
        resumable,
        limits,
        granted,
        name,
    })
}

fn per_second(setting: usize) -> u32 {
    u32::try_from(setting).unwrap_or(u32::MAX)
}

/// The operator's word, then the component's, then its name; a stock HTTP component routes below its path by itself.
fn mount_path(name: &str, operator: Option<&str>, component: Option<&str>, sockets: bool) -> Result<String, Cause> {
    let path = match (operator.or(component), sockets) {
        (Some(path), _) => path.to_owned(),
        (None, true) => format!("/{name}"),
        (None, false) => format!("/{name}/{{*rest}}"),
    };
    if path.starts_with('/') { Ok(path) } else { Err(Cause::Path(path)) }
}

fn stem(file: &Path) -> Result<String, Cause> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    manifest::check_name(&stem).map_err(|wrong| Cause::Name(format!("comes from the file, which {wrong}")))?;
    Ok(stem)
}
