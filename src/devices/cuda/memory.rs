//! A GPU's memory: one allocation, whose layout was decided before.

use cudarc::driver::result;

use super::error::CudaError;
use super::gpu::Gpu;
use super::layout::{ALIGNMENT, Address, Layout, Region};

/// Memory of a GPU. It begins as zeros.
#[derive(Debug)]
pub struct DeviceMemory {
    gpu: Gpu,
    start: u64,
    bytes: usize,
}

impl DeviceMemory {
    /// Memory for `layout`.
    pub fn new(gpu: &Gpu, layout: &Layout) -> Result<Self, CudaError> {
        gpu.bind()?;
        let bytes = layout.total().max(ALIGNMENT);
        let failed = |error| CudaError::new(gpu.name(), format!("allocating {:.1} MB", bytes as f64 / 1e6), error);
        // SAFETY: it is freed once, by `drop`.
        let start = unsafe { result::malloc_sync(bytes) }.map_err(failed)?;
        let memory = Self {
            gpu: gpu.clone(),
            start,
            bytes,
        };
        // SAFETY: this is the allocation's length.
        unsafe { result::memset_d8_sync(start, 0, bytes) }.map_err(failed)?;
        gpu.finish()?;
        Ok(memory)
    }

    /// Its length.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Where a region begins.
    pub fn at(&self, region: Region) -> Address {
        assert!(region.start + region.bytes <= self.bytes, "a region of another layout");
        Address(self.start + region.start as u64)
    }

    /// Writes a region, at once. Nothing may be running that uses it.
    pub fn write(&self, region: Region, from: &[u8]) -> Result<(), CudaError> {
        assert_eq!(region.bytes, from.len(), "a whole region");
        self.gpu.bind()?;
        // SAFETY: `at` has checked the region.
        unsafe { result::memcpy_htod_sync(self.at(region).0, from) }.map_err(self.gpu.failed("copying to the GPU"))?;
        // The call returns when the driver has the bytes, and no stream waits for it.
        self.gpu.finish()
    }

    /// Reads a region, at once. Nothing may be running that writes it.
    pub fn read(&self, region: Region, to: &mut [u8]) -> Result<(), CudaError> {
        assert_eq!(region.bytes, to.len(), "a whole region");
        self.gpu.bind()?;
        // SAFETY: `at` has checked the region.
        unsafe { result::memcpy_dtoh_sync(to, self.at(region).0) }.map_err(self.gpu.failed("copying from the GPU"))
    }
}

impl Drop for DeviceMemory {
    fn drop(&mut self) {
        // Waits for all work. If the device is lost, so is its memory.
        if self.gpu.bind().is_ok() {
            // SAFETY: it was allocated by `new`, and nothing can reach it any more.
            let _ = unsafe { result::free_sync(self.start) };
        }
    }
}
