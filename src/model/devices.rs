//! The devices of a run, made by name. Only this file knows which executors there are.

use std::sync::Arc;

use super::{Device, Job, Memory, ModelError, Placement, cpu};
use crate::config::compute::Parallel;
use crate::devices::cpu::PlanarRows;
use crate::devices::row::RowWriter;

/// The memory of the device at `placement`.
pub fn memory(job: &Job<'_>, placement: Placement) -> Result<Memory, ModelError> {
    cpu::memory(job, placement)
}

/// Makes a device of each name (`cpu:0`, `cpu:1`, …), connected to the others. They have no weights yet.
pub fn build(job: &Job<'_>, names: &[&str], parallel: Parallel) -> Result<Vec<Box<dyn Device>>, ModelError> {
    cpu::devices(job, names, parallel)
}

/// Makes a device that has the whole network. It has no weights yet.
pub fn build_alone(job: &Job<'_>) -> Result<Box<dyn Device>, ModelError> {
    // A device for each name.
    Ok(build(job, &["cpu:0"], Parallel::Data)?.swap_remove(0))
}

/// The writer of the devices' rows, for crops of `side` × `side` pixels.
pub fn row_writer(side: usize) -> Arc<dyn RowWriter> {
    Arc::new(PlanarRows::new(side))
}
