//! The executor for GPUs.
//!
//! It has a plan (which kernels in which order, and the memory for them), made from shapes alone; a program, which is the
//! plan as launches; and two streams. Nothing outside sees any of it but through [`Device`].

mod buffers;
mod device;
mod laps;
mod peak;
mod plan;
mod program;
mod steps;
mod weights;

use super::{Device, Job, Memory, ModelError};
use crate::devices::cuda::{ByteRows, Found, gpus};
use device::CudaDevice;
use plan::Plan;

/// GPU number `number`, which must be there and usable.
pub(super) fn find(number: usize) -> Result<Found, ModelError> {
    let unusable = |why| ModelError::NoGpu { number, why };
    let found = gpus().map_err(|error| unusable(error.to_string()))?;
    let count = found.len();
    let Some(gpu) = found.into_iter().find(|gpu| gpu.number == number) else {
        return Err(unusable(match count {
            0 => "this machine has no NVIDIA GPU".to_string(),
            1 => "this machine has one GPU, cuda:0".to_string(),
            _ => format!("this machine has {count} GPUs, cuda:0 to cuda:{}", count - 1),
        }));
    };
    gpu.refusal().map_or(Ok(gpu), |why| Err(unusable(why)))
}

/// The memory that GPU number `number` needs. It is an error if it does not have so much at all.
pub(super) fn memory(job: &Job<'_>, number: usize) -> Result<Memory, ModelError> {
    let plan = Plan::new(job)?;
    let gpu = find(number)?;
    let needed = plan.needed();
    if needed > gpu.memory {
        return Err(ModelError::GpuMemory {
            number,
            needed,
            there: gpu.memory,
            how: "has",
        });
    }
    Ok(plan.memory())
}

/// GPU number `number` as a device.
pub(super) fn device(job: &Job<'_>, number: usize) -> Result<Box<dyn Device>, ModelError> {
    Ok(Box::new(CudaDevice::new(job, number)?))
}

/// The writer of a GPU's rows, for crops of `side` × `side` pixels.
pub(super) fn row_writer(side: usize) -> ByteRows {
    ByteRows::new(side)
}
