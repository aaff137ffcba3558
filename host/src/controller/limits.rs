//! How much memory one store may have, and how many table entries. A growth beyond it is refused to the guest, which usually ends in its own abort.

use std::sync::Arc;

use wasmtime::ResourceLimiter;

use super::engine::{CORE_INSTANCES_PER_COMPONENT, MEMORIES_PER_COMPONENT, TABLES_PER_COMPONENT};
use crate::limit::{Limit, LimitHits};
use crate::metrics::Metrics;

/// Counts all memories of a store together against one limit, and all tables against another.
pub(super) struct MemoryLimit {
    limit: usize,
    used: usize,
    elements_limit: usize,
    elements: usize,
    refused: bool,
    metrics: Arc<Metrics>,
    hits: Arc<LimitHits>,
}

impl MemoryLimit {
    pub(super) fn new(limit: usize, elements_limit: usize, metrics: Arc<Metrics>, hits: Arc<LimitHits>) -> Self {
        MemoryLimit { limit, used: 0, elements_limit, elements: 0, refused: false, metrics, hits }
    }

    /// A new call begins.
    pub(super) fn begin(&mut self) {
        self.refused = false;
    }

    /// Whether a growth was refused in this call: the likely reason of a trap that follows.
    pub(super) fn refused(&self) -> bool {
        self.refused
    }

    fn refuse(&mut self) {
        self.refused = true;
        self.metrics.memory_refused.count();
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        if used > self.limit {
            self.refuse();
            self.hits.hit(Limit::Memory, format_args!("growth beyond {} bytes was refused", self.limit));
            return Ok(false);
        }
        self.used = used;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let elements = self.elements.saturating_add(desired.saturating_sub(current));
        if elements > self.elements_limit {
            self.refuse();
            self.hits.hit(Limit::TableElements, format_args!("growth beyond {} was refused", self.elements_limit));
            return Ok(false);
        }
        self.elements = elements;
        Ok(true)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES_PER_COMPONENT as usize
    }

    fn tables(&self) -> usize {
        TABLES_PER_COMPONENT as usize
    }

    fn memories(&self) -> usize {
        MEMORIES_PER_COMPONENT as usize
    }
}
