//! wasmtime, set up once for all controllers: which wasm is accepted, how instances get their memory, and the clock that
//! interrupts them.

use std::time::Duration;

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

/// How often running guests are interrupted to look at their CPU time and to let others have the core.
///
/// It bounds how long a guest can hold up everything else on its core; shorter wakes the ticking thread more often.
pub(super) const TICK: Duration = Duration::from_millis(5);

/// What a call's native stack has beyond the wasm stack: generous room for host functions, because an overflow there would
/// abort the process.
const HOST_STACK: usize = 1536 * 1024;

/// Core instances, memories and tables of one component: its own modules, those of the components that it was composed of,
/// and the adapters that its toolchain put in. The limits of a controller are for all of them together.
pub(super) const CORE_INSTANCES_PER_COMPONENT: u32 = 64;
pub(super) const MEMORIES_PER_COMPONENT: u32 = 4;
pub(super) const TABLES_PER_COMPONENT: u32 = 16;

/// Memories of one component where there is no room for more.
const FEWER_MEMORIES: u32 = 2;

/// What the engine is dimensioned for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dimensions {
    /// Live instances of all controllers together, those that answer plain requests included.
    pub(super) instances: u32,
    /// The largest memory of any controller, in bytes.
    pub(super) memory: usize,
    /// The largest table of any controller, in entries.
    pub(super) table_elements: usize,
    /// The stack of a call, in bytes: an engine has one for all, so controllers with different ones have different engines.
    pub(super) stack: usize,
}

/// Makes the engine and starts its clock, which runs as long as the engine lives.
pub(super) fn start(dimensions: Dimensions) -> wasmtime::Result<Engine> {
    let pooled = |memories| Engine::new(&config(dimensions, Some(pool(dimensions, memories))));
    // Each memory takes 4 GiB of address space, of which there are 128 TiB: enough for some 7,900 instances with 4 each.
    let engine = pooled(MEMORIES_PER_COMPONENT).or_else(|_too_large| pooled(FEWER_MEMORIES)).or_else(|error| {
        // The pool reserves address space for all instances at once, which a container or ulimit may forbid.
        tracing::warn!(%error, "no pool of instances: each instance allocates its own memory, which is slower");
        Engine::new(&config(dimensions, None))
    })?;
    let clock = engine.weak();
    std::thread::Builder::new().name("lakou-tick".into()).spawn(move || {
        while let Some(engine) = clock.upgrade() {
            engine.increment_epoch();
            drop(engine);
            #[expect(clippy::disallowed_methods, reason = "the thread of the clock has nothing else to do")]
            std::thread::sleep(TICK);
        }
    })?;
    Ok(engine)
}

fn config(dimensions: Dimensions, pool: Option<PoolingAllocationConfig>) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(dimensions.stack)
        .async_stack_size(dimensions.stack + HOST_STACK)
        .cranelift_opt_level(OptLevel::Speed)
        // What joins composed components copies from one memory to another.
        .wasm_multi_memory(true)
        // Proposals that no controller needs are closed doors.
        .wasm_memory64(false)
        .wasm_relaxed_simd(false);
    if let Some(pool) = pool {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}

fn pool(dimensions: Dimensions, memories: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(dimensions.instances)
        .total_core_instances(dimensions.instances.saturating_mul(CORE_INSTANCES_PER_COMPONENT))
        .total_memories(dimensions.instances.saturating_mul(memories))
        .total_tables(dimensions.instances.saturating_mul(TABLES_PER_COMPONENT))
        .total_stacks(dimensions.instances)
        .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT)
        .max_memories_per_component(memories)
        .max_memories_per_module(memories)
        .max_tables_per_component(TABLES_PER_COMPONENT)
        .max_tables_per_module(TABLES_PER_COMPONENT)
        .table_elements(dimensions.table_elements)
        .max_memory_size(dimensions.memory)
        .pagemap_scan(Enabled::Auto);
    pool
}
