//! Memory of the host that GPUs read and write by themselves, and copies between it and theirs.

use std::sync::Arc;

use cudarc::driver::result;

use super::error::CudaError;
use super::gpu::{Event, Gpu, Stream};
use super::layout::Region;
use super::memory::DeviceMemory;
use crate::flow::Slot;

/// Pinned memory of the host, for small things.
#[derive(Debug)]
pub struct HostBuffer {
    gpu: Gpu,
    start: *mut u8,
    bytes: usize,
}

// SAFETY: it owns its memory, like a box.
unsafe impl Send for HostBuffer {}

impl HostBuffer {
    /// Zeros that the GPU reads and writes by itself.
    pub fn new(gpu: &Gpu, bytes: usize) -> Result<Self, CudaError> {
        gpu.bind()?;
        // SAFETY: it is freed once, by `drop`. The flags ask for plain memory, which processors read fast.
        let start = unsafe { result::malloc_host(bytes, 0) }
            .map_err(|error| CudaError::of_host(gpu.name(), "allocating pinned memory", error))?;
        let start = start.cast::<u8>();
        // SAFETY: this is the allocation's length.
        unsafe { start.write_bytes(0, bytes) };
        Ok(Self {
            gpu: gpu.clone(),
            start,
            bytes,
        })
    }

    /// Its bytes. They are aligned for any number.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the allocation is this long, and while the GPU has it, it is inside of an `InFlight`.
        unsafe { std::slice::from_raw_parts(self.start, self.bytes) }
    }

    /// Its bytes, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.bytes) }
    }
}

impl Drop for HostBuffer {
    fn drop(&mut self) {
        if self.gpu.bind().is_ok() {
            // SAFETY: it was allocated by `new`.
            let _ = unsafe { result::free_host(self.start.cast()) };
        }
    }
}

/// Something of the host's that the GPU is reading or writing. It is out of reach until that is done.
#[derive(Debug)]
#[must_use = "it waits when it is dropped"]
pub struct InFlight<T> {
    held: Option<T>,
    /// Where it was enqueued.
    stream: Stream,
    /// A point behind it.
    done: Arc<Event>,
}

impl<T> InFlight<T> {
    fn new(held: T, stream: &Stream, done: &Arc<Event>) -> Self {
        Self {
            held: Some(held),
            stream: stream.clone(),
            done: Arc::clone(done),
        }
    }

    /// Both, until the same event.
    pub fn and<U>(mut self, mut other: InFlight<U>) -> InFlight<(T, U)> {
        assert!(Arc::ptr_eq(&self.done, &other.done), "they land together");
        InFlight {
            held: self.held.take().zip(other.held.take()),
            stream: self.stream.clone(),
            done: Arc::clone(&self.done),
        }
    }

    /// Waits until the GPU is done with it. The event must have been recorded behind it.
    pub fn landed(mut self) -> Result<T, CudaError> {
        self.done.reached()?;
        match self.held.take() {
            Some(held) => Ok(held),
            None => unreachable!("only this takes it, and it takes `self`"),
        }
    }
}

impl<T> Drop for InFlight<T> {
    fn drop(&mut self) {
        if self.held.is_some() {
            // After an error, the event may not have been recorded: all of the stream is waited for. A device that is lost
            // does not touch memory any more.
            self.stream.drain();
        }
    }
}

impl Stream {
    /// Copies the first `rows` rows of a slot to `to`. `done` marks the end.
    pub fn copy_rows(
        &self,
        slot: &Arc<Slot>,
        rows: usize,
        (memory, to): (&DeviceMemory, Region),
        done: &Arc<Event>,
    ) -> Result<InFlight<Arc<Slot>>, CudaError> {
        self.gpu.bind()?;
        let from = slot.bytes(rows);
        let to = memory.at(to.part(0..from.len()));
        let held = InFlight::new(Arc::clone(slot), self, done);
        // SAFETY: `at` has checked the region. The slot's bytes stay where and as they are until `held` is gone: to lend
        // rows takes the slot itself, and there is one only after the last of its `Arc`s.
        let copied = unsafe { result::memcpy_htod_async(to.0, from, self.stream.cu_stream()) };
        copied.map_err(self.gpu.failed("copying rows to the GPU"))?;
        self.record(done)?;
        Ok(held)
    }

    /// Copies a buffer to `to`. `done` is to be recorded behind it.
    pub fn copy_in(
        &self,
        buffer: HostBuffer,
        (memory, to): (&DeviceMemory, Region),
        done: &Arc<Event>,
    ) -> Result<InFlight<HostBuffer>, CudaError> {
        self.gpu.bind()?;
        let to = memory.at(to.part(0..buffer.bytes));
        let held = InFlight::new(buffer, self, done);
        let Some(from) = held.held.as_ref().map(HostBuffer::bytes) else {
            return Ok(held);
        };
        // SAFETY: `at` has checked the region, and the buffer is out of reach until `held` has landed or is dropped, which
        // waits.
        let copied = unsafe { result::memcpy_htod_async(to.0, from, self.stream.cu_stream()) };
        copied.map_err(self.gpu.failed("copying to the GPU"))?;
        Ok(held)
    }

    /// Copies a region to the beginning of a buffer. `done` is to be recorded behind it.
    pub fn copy_out(
        &self,
        (memory, from): (&DeviceMemory, Region),
        mut buffer: HostBuffer,
        done: &Arc<Event>,
    ) -> Result<InFlight<HostBuffer>, CudaError> {
        self.gpu.bind()?;
        let to = &mut buffer.bytes_mut()[..from.bytes];
        // SAFETY: `at` has checked the region, and the buffer is out of reach until `done`.
        let copied = unsafe { result::memcpy_dtoh_async(to, memory.at(from).0, self.stream.cu_stream()) };
        copied.map_err(self.gpu.failed("copying from the GPU"))?;
        Ok(InFlight::new(buffer, self, done))
    }

    /// Sets a region to zero.
    pub fn clear(&self, (memory, region): (&DeviceMemory, Region)) -> Result<(), CudaError> {
        if region.bytes == 0 {
            return Ok(());
        }
        self.gpu.bind()?;
        // SAFETY: `at` has checked the region.
        unsafe { result::memset_d8_async(memory.at(region).0, 0, region.bytes, self.stream.cu_stream()) }
            .map_err(self.gpu.failed("clearing memory"))
    }

    /// Copies a region to another one, which does not overlap it.
    pub fn copy_within(&self, memory: &DeviceMemory, from: Region, to: Region) -> Result<(), CudaError> {
        self.gpu.bind()?;
        let to = memory.at(to.part(0..from.bytes));
        // SAFETY: `at` has checked both regions.
        unsafe { result::memcpy_dtod_async(to.0, memory.at(from).0, from.bytes, self.stream.cu_stream()) }
            .map_err(self.gpu.failed("copying within the GPU"))
    }
}
