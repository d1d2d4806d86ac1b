//! Pinned buffers of one size that circulate between the thread that launches and the one that waits.

use std::sync::{Arc, Mutex, PoisonError};

use crate::devices::cuda::{CudaError, Gpu, HostBuffer};

/// Buffers. Clones are the same pool.
#[derive(Clone, Debug)]
pub struct Buffers {
    gpu: Gpu,
    bytes: usize,
    free: Arc<Mutex<Vec<HostBuffer>>>,
}

impl Buffers {
    /// `count` buffers of `bytes` bytes.
    pub fn new(gpu: &Gpu, bytes: usize, count: usize) -> Result<Self, CudaError> {
        let buffers = (0..count)
            .map(|_| HostBuffer::new(gpu, bytes))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            gpu: gpu.clone(),
            bytes,
            free: Arc::new(Mutex::new(buffers)),
        })
    }

    /// A buffer; a new one if all are under way.
    pub fn take(&self) -> Result<HostBuffer, CudaError> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.map_or_else(|| HostBuffer::new(&self.gpu, self.bytes), Ok)
    }

    /// Returns a buffer.
    pub fn give_back(&self, buffer: HostBuffer) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }
}
