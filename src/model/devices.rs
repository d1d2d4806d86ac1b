//! The devices of a run, made by name. Only this file knows which executors there are.

use std::sync::Arc;

use super::{Device, Job, Memory, ModelError, Placement, cpu, cuda};
use crate::config::compute::Parallel;
use crate::config::devices::{DeviceName, Devices, Kind};
use crate::devices::cpu::PlanarRows;
use crate::devices::cuda::{NoDriver, gpus};
use crate::devices::row::RowWriter;

/// The devices that a configuration comes to, and for `"auto"` why it is no GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The devices.
    pub names: Vec<DeviceName>,
    /// Why `"auto"` came to the CPU.
    pub why_no_gpu: Option<String>,
}

/// The devices that `devices` comes to on this machine. `"auto"` is the first GPU that can be used, or else the CPU.
pub fn chosen(devices: &Devices) -> Chosen {
    if let Some(names) = devices.names() {
        return Chosen {
            names,
            why_no_gpu: None,
        };
    }
    match first_gpu() {
        Ok(gpu) => Chosen {
            names: vec![gpu],
            why_no_gpu: None,
        },
        Err(why) => Chosen {
            names: vec![DeviceName::CPU],
            why_no_gpu: Some(why),
        },
    }
}

/// The first GPU that can be used, or why there is none.
fn first_gpu() -> Result<DeviceName, String> {
    let found = gpus().map_err(|error: NoDriver| error.to_string())?;
    let mut why = "this machine has no NVIDIA GPU".to_string();
    for gpu in found {
        match (gpu.refusal(), DeviceName::new(Kind::Cuda, gpu.number)) {
            (None, Some(name)) => return Ok(name),
            (Some(refusal), _) => why = refusal,
            (None, None) => {}
        }
    }
    Err(why)
}

/// Why a device cannot be used on this machine.
pub fn refusal(name: DeviceName) -> Option<String> {
    match name.kind() {
        Kind::Cpu => None,
        Kind::Cuda => cuda::find(name.number()).err().map(|error| error.to_string()),
    }
}

/// The memory of the device called `name` at `placement`: its own if it is a GPU, otherwise the host's.
pub fn memory(job: &Job<'_>, name: DeviceName, placement: Placement) -> Result<Memory, ModelError> {
    match name.kind() {
        Kind::Cpu => cpu::memory(job, placement),
        Kind::Cuda => cuda::memory(job, name.number()),
    }
}

/// Makes a device of each name, connected to the others. They have no weights yet.
pub fn build(job: &Job<'_>, names: &[DeviceName], parallel: Parallel) -> Result<Vec<Box<dyn Device>>, ModelError> {
    match names {
        // The configuration allows no other devices beside a GPU.
        [gpu, ..] if gpu.is_gpu() => Ok(vec![cuda::device(job, gpu.number())?]),
        cpus => cpu::devices(job, cpus, parallel),
    }
}

/// Makes a device of the kind of `name` that has the whole network. It has no weights yet.
pub fn build_alone(job: &Job<'_>, name: DeviceName) -> Result<Box<dyn Device>, ModelError> {
    let name = if name.is_gpu() { name } else { DeviceName::CPU };
    // A device for each name.
    Ok(build(job, &[name], Parallel::Data)?.swap_remove(0))
}

/// The writer of rows for the device called `name` and those beside it, for crops of `side` × `side` pixels.
pub fn row_writer(name: DeviceName, side: usize) -> Arc<dyn RowWriter> {
    match name.kind() {
        Kind::Cpu => Arc::new(PlanarRows::new(side)),
        Kind::Cuda => Arc::new(cuda::row_writer(side)),
    }
}
