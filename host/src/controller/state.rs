//! What a store holds beside the guest's own memory: the host side of its imports, and its limits.

use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::class::Class;
use super::imports::http::NoOutgoing;
use super::limits::MemoryLimit;
use super::meter::{Meter, Progress};
use super::output::{Lines, Source};
use crate::ids::ConnectionId;

/// Handles that one store may hold at a time, on either side: a socket a connection, and what WASI hands out.
const HANDLES: usize = 20_000;

/// The state of one store.
pub(crate) struct GuestState {
    pub(super) class: Arc<Class>,
    pub(super) table: ResourceTable,
    pub(super) meter: Meter,
    pub(super) memory: MemoryLimit,
    pub(super) batch: Batch,
    pub(super) progress: Progress,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: NoOutgoing,
}

/// Which item of a batch the guest says it is working on.
#[derive(Debug, Default)]
pub(super) struct Batch {
    items: Vec<ConnectionId>,
    attended: Option<usize>,
}

impl Batch {
    /// A call with these items begins; a call without items has none to attend to.
    pub(super) fn begin(&mut self, items: impl IntoIterator<Item = ConnectionId>) {
        self.items.clear();
        self.items.extend(items);
        self.attended = None;
    }

    /// Takes the guest's word, as long as it goes forward: each item is a step with limits of its own, and going back
    /// would make them endless.
    pub(super) fn attend(&mut self, index: u32) -> bool {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let forward = index < self.items.len() && self.attended.is_none_or(|before| index > before);
        if forward {
            self.attended = Some(index);
        }
        forward
    }

    /// The connection of the item attended to.
    pub(super) fn connection(&self) -> Option<ConnectionId> {
        self.attended.and_then(|index| self.items.get(index).copied())
    }

    /// Whose fault a failure of this call is: the item attended to, or all of them if the guest told nothing.
    pub(super) fn at_fault(&self) -> &[ConnectionId] {
        match self.attended {
            Some(index) => &self.items[index..=index],
            None => &self.items,
        }
    }
}

/// A store for `class`, with all its limits set; `progress` is what tells the steps of its calls apart.
pub(super) fn new_store(class: &Arc<Class>, progress: Progress) -> Store<GuestState> {
    let mut table = ResourceTable::new();
    table.set_max_capacity(HANDLES);
    let state = GuestState {
        table,
        meter: Meter::new(class.limits.cpu_time, progress.clone()),
        memory: MemoryLimit::new(class.limits.memory, Arc::clone(&class.environment.metrics)),
        batch: Batch::default(),
        progress,
        wasi: WasiCtx::builder()
            .stdout(Lines::new(&class.output, Source::Stdout))
            .stderr(Lines::new(&class.output, Source::Stderr))
            .build(),
        http: WasiHttpCtx::new(),
        hooks: NoOutgoing,
        class: Arc::clone(class),
    };
    let mut store = Store::new(class.environment.engine(), state);
    store.limiter(|state| &mut state.memory);
    store.epoch_deadline_callback(|mut context| Ok(context.data_mut().meter.tick()));
    store.set_max_component_handles(HANDLES);
    // One call may hand over its largest message or event a few times over, and small things beside it.
    store.set_hostcall_fuel(class.environment.settings.largest_handover().saturating_mul(4).max(16 * 1024 * 1024));
    store
}

impl WasiView for GuestState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for GuestState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}
