//! What a store holds beside the guest's own memory: the host side of its imports, and its limits.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use wasmtime::Store;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::class::Class;
use super::imports::outgoing::Outgoing;
use super::limits::MemoryLimit;
use super::meter::{Clock, Meter};
use super::output::{Lines, Source, WorkingFor};
use super::plain::Progress;
use crate::connection::Connection;
use crate::ids::ConnectionId;

/// Random bytes that a guest gets in one call.
const RANDOM_BYTES: u64 = 64 * 1024;

/// The header fields of one `fields` resource, as the host holds them in memory.
const FIELD_BYTES: usize = 64 * 1024;

/// The state of one store.
pub(crate) struct GuestState {
    pub(super) class: Arc<Class>,
    pub(super) table: ResourceTable,
    /// Beside the others, so that their share is nobody else's.
    pub(super) timers: ResourceTable,
    pub(super) meter: Meter,
    pub(super) memory: MemoryLimit,
    pub(super) batch: Batch,
    /// Of the answer to a plain request; a store for connections has none.
    pub(super) progress: Progress,
    pub(super) clock: Clock,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Outgoing,
}

/// Which item of a batch the guest says it is working on.
#[derive(Debug, Default)]
pub(super) struct Batch {
    items: Vec<ConnectionId>,
    attended: Option<usize>,
    /// In this call the guest was told that its client is gone, which it has not caused.
    told_gone: bool,
    /// As [`connection`](Self::connection) says, for what has no way to ask.
    working_for: WorkingFor,
}

impl Batch {
    /// A call with these items begins; a call without items has none to attend to.
    pub(super) fn begin(&mut self, items: impl IntoIterator<Item = ConnectionId>) {
        self.items.clear();
        self.items.extend(items);
        self.attended = None;
        self.told_gone = false;
        self.working_for.set(self.connection());
    }

    /// Takes the guest's word, as long as it goes forward: each item is a step with limits of its own, and going back
    /// would make them endless.
    pub(super) fn attend(&mut self, index: u32) -> bool {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let forward = index < self.items.len() && self.attended.is_none_or(|before| index > before);
        if forward {
            self.attended = Some(index);
            self.working_for.set(self.connection());
        }
        forward
    }

    /// The connection of the item attended to, or of the only one.
    pub(super) fn connection(&self) -> Option<ConnectionId> {
        match self.at_fault() {
            [only] => Some(*only),
            _ => None,
        }
    }

    /// The guest is told that the client of this connection is gone.
    pub(super) fn tell_gone(&mut self, connection: &Connection) {
        self.told_gone |= !connection.let_go.load(Ordering::Acquire);
    }

    /// Whether a failure of this call may be what a guest makes of a client that has left: nothing that its controller is
    /// backed off for.
    pub(super) fn was_told_gone(&self) -> bool {
        self.told_gone
    }

    /// The item attended to, if the guest said so.
    pub(super) fn attended(&self) -> Option<usize> {
        self.attended
    }

    /// Whose fault a failure of this call is: the item attended to, or all of them if the guest told nothing.
    pub(super) fn at_fault(&self) -> &[ConnectionId] {
        match self.attended {
            Some(index) => &self.items[index..=index],
            None => &self.items,
        }
    }
}

/// A store for `class`, with all its limits set; `clock` measures its calls.
pub(super) fn new_store(class: &Arc<Class>, clock: Clock) -> Store<GuestState> {
    let connections = class.limits.connections_per_instance;
    let (mut table, mut timers) = (ResourceTable::new(), ResourceTable::new());
    let (most_timers, handles) = (connections * class.limits.max_timers, class.limits.max_handles);
    table.set_max_capacity(connections + handles);
    timers.set_max_capacity(most_timers);
    let batch = Batch::default();
    let mut http = WasiHttpCtx::new();
    http.set_field_size_limit(FIELD_BYTES);
    let state = GuestState {
        table,
        timers,
        meter: Meter::new(class.limits.cpu_time, class.limits.call_time, clock.clone()),
        memory: MemoryLimit::new(
            class.limits.memory,
            class.limits.table_elements,
            Arc::clone(&class.environment.metrics),
            Arc::clone(&class.hits),
        ),
        progress: Progress::default(),
        clock,
        wasi: class.granted.furnish(
            WasiCtx::builder()
                .stdout(Lines::new(&class.output, Source::Stdout, &batch.working_for))
                .stderr(Lines::new(&class.output, Source::Stderr, &batch.working_for))
                .max_random_size(RANDOM_BYTES),
        ),
        batch,
        http,
        hooks: Outgoing::new(class),
        class: Arc::clone(class),
    };
    let mut store = Store::new(&class.engine, state);
    store.limiter(|state| &mut state.memory);
    store.epoch_deadline_callback(|mut context| Ok(context.data_mut().meter.tick()));
    // A connection is three handles (its object on both sides, and its socket), and a fourth while an event is delivered.
    store.set_max_component_handles(4 * connections + most_timers + handles);
    store.set_hostcall_fuel(class.shares.handover);
    store
}

impl GuestState {
    /// Resources of the host that the guest has at the moment.
    pub(super) fn handles(&mut self) -> usize {
        self.table.iter_mut().count()
    }

    /// A store that has answered a plain request gets another one, which has a clock of its own: the body of the answer
    /// before may still be on its way, and moves that one's.
    pub(super) fn answer_another(&mut self, clock: Clock) {
        self.batch.begin([]);
        self.meter.measure_by(clock.clone());
        self.clock = clock;
    }
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
