//! How much memory one store may have. A growth beyond it is refused to the guest, which usually ends in its own abort.

use std::sync::Arc;

use wasmtime::ResourceLimiter;

use super::engine::TABLE_ELEMENTS;
use crate::metrics::Metrics;

/// Core instances, tables and memories of one store; a component of a usual toolchain has a handful.
const ITEMS: usize = 64;

/// Counts all memories of a store together against one limit.
pub(super) struct MemoryLimit {
    limit: usize,
    used: usize,
    refused: bool,
    metrics: Arc<Metrics>,
}

impl MemoryLimit {
    pub(super) fn new(limit: usize, metrics: Arc<Metrics>) -> Self {
        MemoryLimit { limit, used: 0, refused: false, metrics }
    }

    /// A new call begins.
    pub(super) fn begin(&mut self) {
        self.refused = false;
    }

    /// Whether a growth was refused in this call: the likely reason of a trap that follows.
    pub(super) fn refused(&self) -> bool {
        self.refused
    }

    fn refuse(&mut self) -> wasmtime::Result<bool> {
        self.refused = true;
        self.metrics.memory_refused.count();
        Ok(false)
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        if used > self.limit {
            return self.refuse();
        }
        self.used = used;
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        if desired > TABLE_ELEMENTS { self.refuse() } else { Ok(true) }
    }

    fn instances(&self) -> usize {
        ITEMS
    }

    fn tables(&self) -> usize {
        ITEMS
    }

    fn memories(&self) -> usize {
        ITEMS
    }
}
