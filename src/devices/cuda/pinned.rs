//! Slots whose pages are pinned, so that a GPU copies rows out of them while the CPU does something else.
//!
//! The slots' own pages are registered. Pinned memory of the driver's would be memory without large pages, and with
//! cudarc's default flags it is write-combined: slow for processors to read, and a row's hash is read from it.

use cudarc::driver::sys;

use super::error::CudaError;
use super::gpu::Gpu;
use crate::flow::Slot;

/// Pages that stay where they are, for all GPUs of the process. They are ordinary pages again when this is dropped.
#[derive(Debug)]
struct Pinned {
    gpu: Gpu,
    start: usize,
}

/// Pins the pages of a slot for as long as it lives.
pub fn pin(gpu: &Gpu, slot: &mut Slot) -> Result<(), CudaError> {
    gpu.bind()?;
    let pages = slot.pages();
    let start = pages.as_mut_ptr();
    // SAFETY: these are whole pages of the slot's, which keeps the guard and drops it before its memory.
    unsafe { sys::cuMemHostRegister_v2(start.cast(), pages.len(), sys::CU_MEMHOSTREGISTER_PORTABLE) }
        .result()
        .map_err(|error| CudaError::of_host(gpu.name(), "pinning the memory of a slot", error))?;
    let pinned = Pinned {
        gpu: gpu.clone(),
        start: start as usize,
    };
    slot.keep(Box::new(pinned));
    Ok(())
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if self.gpu.bind().is_ok() {
            // SAFETY: it was registered by `pin`, and no copy from it is under way: `InFlight` would have the slot.
            let _ = unsafe { sys::cuMemHostUnregister(self.start as *mut _) }.result();
        }
    }
}
