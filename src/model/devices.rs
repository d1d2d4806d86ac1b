//! The devices of a run, made by name. Only this file knows which executors there are.

use std::sync::Arc;

use super::{Device, Job, Memory, ModelError, Placement, cpu, cuda};
use crate::config::compute::Parallel;
use crate::config::devices::{DeviceName, Kind};
use crate::devices::cpu::PlanarRows;
use crate::devices::cuda::{NoDriver, driver};
use crate::devices::row::RowWriter;
use crate::memory::Bytes;

/// Why `"auto"` is the CPU.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoGpu {
    /// There is none.
    #[error("{0}")]
    Absent(String),
    /// There may be one, but it cannot be used.
    #[error("{0}")]
    Unusable(String),
}

/// What `"auto"` comes to on this machine: the first GPU that can be used and that `fits`, or else the CPU, and why.
pub fn automatic(fits: impl Fn(DeviceName) -> Result<(), ModelError>) -> (DeviceName, Option<NoGpu>) {
    let found = match gpus() {
        Ok(found) => found,
        Err(why) => return (DeviceName::CPU, Some(why)),
    };
    let mut why = NoGpu::Absent("this machine has no NVIDIA GPU".to_string());
    for gpu in found {
        let Some(name) = DeviceName::new(Kind::Cuda, gpu.number) else {
            continue;
        };
        match gpu
            .refusal
            .map_or_else(|| fits(name).map_err(|error| error.to_string()), Err)
        {
            Ok(()) => return (name, None),
            Err(refusal) => why = NoGpu::Unusable(refusal),
        }
    }
    (DeviceName::CPU, Some(why))
}

/// A GPU of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// Its number: it is called `cuda:0`, `cuda:1`, …
    pub number: usize,
    /// The model's name.
    pub model: String,
    /// All of its memory.
    pub memory: Bytes,
    /// Its compute capability, such as 9.0.
    pub capability: String,
    /// The version of CUDA that the driver is for.
    pub driver: String,
    /// Why it cannot be used.
    pub refusal: Option<String>,
}

/// The GPUs of this machine.
pub fn gpus() -> Result<Vec<Gpu>, NoGpu> {
    let absent_or_not = |error: NoDriver| match error {
        NoDriver::Missing | NoDriver::NoDevice => NoGpu::Absent(error.to_string()),
        NoDriver::TooOld { .. } | NoDriver::Broken { .. } => NoGpu::Unusable(error.to_string()),
    };
    let driver = driver::version().map_err(absent_or_not)?;
    let found = driver::gpus().map_err(absent_or_not)?;
    let gpus = found.into_iter().map(|gpu| Gpu {
        number: gpu.number,
        refusal: gpu.refusal(),
        model: gpu.name,
        memory: gpu.memory,
        capability: gpu.capability.to_string(),
        driver: driver.to_string(),
    });
    Ok(gpus.collect())
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
