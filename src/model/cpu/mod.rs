//! The executor for CPUs.
//!
//! It has a plan (the layers fused into segments, and the memory for them), buffers, passes through the segments, and
//! an exchange of maps or gradients with the other devices. Nothing outside sees any of it but through [`Device`].

mod buffers;
mod clock;
mod columns;
mod device;
mod fuse;
mod held;
mod network;
mod pass;
mod plan;
mod segment;

use std::sync::Arc;

use super::{Device, Job, Memory, ModelError, Placement};
use crate::config::compute::Parallel;
use crate::config::devices::DeviceName;
use crate::devices::cpu::{CpuCommunicator, Threads};
use columns::Columns;
use device::{CpuDevice, Peers};
use network::Network;
use plan::Plan;

/// The memory of the device at `placement`.
pub(super) fn memory(job: &Job<'_>, placement: Placement) -> Result<Memory, ModelError> {
    let spec = placement.spec(job.spec)?;
    Ok(Plan::new(placement, &spec, job.batch, job.method).memory(&spec, job.threads))
}

/// Devices of these names, connected to each other.
pub(super) fn devices(
    job: &Job<'_>,
    names: &[DeviceName],
    parallel: Parallel,
) -> Result<Vec<Box<dyn Device>>, ModelError> {
    let placements = Placement::all(names.len(), parallel);
    let networks = names
        .iter()
        .zip(placements)
        .map(|(name, placement)| network(job, *name, placement));
    let networks: Vec<_> = networks.collect::<Result<_, _>>()?;
    let ends = CpuCommunicator::between(networks.iter().map(|(_, threads)| Arc::clone(threads)).collect());
    let devices = networks.into_iter().zip(ends).map(|((network, threads), end)| {
        let peers = match parallel {
            _ if names.len() == 1 => Peers::None,
            Parallel::Data => Peers::Gradients(Box::new(end)),
            Parallel::Columns => Peers::Columns(Columns::new(Box::new(end), threads)),
        };
        let seed = job.seed;
        Box::new(CpuDevice { network, seed, peers }) as Box<dyn Device>
    });
    Ok(devices.collect())
}

/// The network of the device called `name`, on threads of its own.
fn network(job: &Job<'_>, name: DeviceName, placement: Placement) -> Result<(Network, Arc<Threads>), ModelError> {
    // A thread is called `cpu-0.1`.
    let threads = Threads::new(&name.as_str().replace(':', "-"), job.threads);
    let threads = Arc::new(threads.map_err(ModelError::threads(job.threads))?);
    Ok((Network::new(job, placement, Arc::clone(&threads))?, threads))
}
