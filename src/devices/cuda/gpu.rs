//! A GPU that is in use: its context, streams and events.

use std::sync::Arc;
use std::time::Duration;

use cudarc::driver::sys::CUevent_flags;
use cudarc::driver::{CudaContext, CudaEvent, CudaStream, DriverError, result};

use super::error::CudaError;
use super::launch::{Kernel, Launch};
use crate::memory::Bytes;

/// A GPU. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Gpu {
    pub(super) context: Arc<CudaContext>,
    name: Arc<str>,
}

impl Gpu {
    /// Takes GPU number `number` into use. [`gpus`](super::driver::gpus) has found it.
    pub fn open(number: usize) -> Result<Self, CudaError> {
        let name: Arc<str> = format!("cuda:{number}").into();
        let failed = |error| CudaError::new(&name, "taking it into use", error);
        let context = CudaContext::new(number).map_err(failed)?;
        // SAFETY: all memory is one allocation that outlives the streams, and what must wait for what is said by events in
        // model/cuda/.
        unsafe { context.disable_event_tracking() };
        Ok(Self { context, name })
    }

    /// `cuda:0`, `cuda:1`, …
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The memory that is free at this moment.
    pub fn free_memory(&self) -> Result<Bytes, CudaError> {
        let (free, _) = self
            .context
            .mem_get_info()
            .map_err(self.failed("asking for free memory"))?;
        Ok(Bytes::new(free as u64))
    }

    /// A queue of work, which runs beside those of other streams.
    pub fn stream(&self) -> Result<Stream, CudaError> {
        let stream = self.context.new_stream().map_err(self.failed("making a stream"))?;
        Ok(Stream {
            gpu: self.clone(),
            stream,
        })
    }

    /// A point in a stream to wait for. The thread that waits sleeps.
    pub fn event(&self) -> Result<Event, CudaError> {
        self.event_with(CUevent_flags::CU_EVENT_BLOCKING_SYNC)
    }

    /// A point in a stream whose time is measured.
    pub fn timed_event(&self) -> Result<Event, CudaError> {
        self.event_with(CUevent_flags::CU_EVENT_DEFAULT)
    }

    fn event_with(&self, flags: CUevent_flags) -> Result<Event, CudaError> {
        let event = self.context.new_event(Some(flags));
        Ok(Event {
            gpu: self.clone(),
            event: event.map_err(self.failed("making an event"))?,
        })
    }

    /// Waits until all work of all streams is done.
    pub fn finish(&self) -> Result<(), CudaError> {
        self.context.synchronize().map_err(self.failed("work on the GPU"))
    }

    /// The error of doing something on this GPU.
    pub(super) fn failed(&self, doing: &'static str) -> impl Fn(DriverError) -> CudaError {
        move |error| CudaError::new(&self.name, doing, error)
    }

    /// Makes it the GPU of this thread's next calls of the driver.
    pub(super) fn bind(&self) -> Result<(), CudaError> {
        self.context.bind_to_thread().map_err(self.failed("work on the GPU"))
    }
}

/// A queue of work on a GPU, in which each piece begins when the one before it has ended.
#[derive(Clone, Debug)]
pub struct Stream {
    pub(super) gpu: Gpu,
    pub(super) stream: Arc<CudaStream>,
}

impl Stream {
    /// The GPU that it belongs to.
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// Marks this point of the stream.
    pub fn record(&self, event: &Event) -> Result<(), CudaError> {
        event
            .event
            .record(&self.stream)
            .map_err(self.gpu.failed("marking a point of a stream"))
    }

    /// What follows in this stream begins after what `event` marks at this moment.
    pub fn wait(&self, event: &Event) -> Result<(), CudaError> {
        self.stream
            .wait(&event.event)
            .map_err(self.gpu.failed("letting streams wait for each other"))
    }

    /// Waits until all of its work is done.
    pub fn finish(&self) -> Result<(), CudaError> {
        self.stream.synchronize().map_err(self.gpu.failed("work on the GPU"))
    }

    /// Waits until all of its work is done, whatever comes of it.
    pub(super) fn drain(&self) {
        // Not by cudarc's own call, which does not wait if an earlier error is still to be told.
        // SAFETY: context and stream are alive as long as this.
        unsafe {
            let _ = result::ctx::set_current(self.gpu.context.cu_ctx());
            let _ = result::stream::synchronize(self.stream.cu_stream());
        }
    }

    /// Adds a kernel. If `is_blocking`, waits for its end, so that an error is this kernel's.
    pub fn launch(&self, launch: &Launch, is_blocking: bool) -> Result<(), CudaError> {
        self.gpu.bind()?;
        let Kernel { name, function } = &launch.kernel;
        // A launch also tells of kernels that were launched before it.
        let failed = |error| CudaError::of_launch(&self.gpu.name, name, is_blocking, error);
        let (grid, block) = (launch.grid.into(), launch.block.into());
        let mut arguments = launch.arguments.pointers();
        // SAFETY: the operations make a launch of the arguments that the head of its kernel describes, and of parts of the
        // device's one allocation, which the plan has made as large as the same shapes require. The emulator's checked mode
        // looks at every access in the tests.
        unsafe {
            result::launch_kernel(
                function.cu_function(),
                grid,
                block,
                launch.shared,
                self.stream.cu_stream(),
                &mut arguments,
            )
        }
        .map_err(failed)?;
        if is_blocking {
            self.stream.synchronize().map_err(failed)?;
        }
        Ok(())
    }
}

/// A point in a stream.
#[derive(Debug)]
pub struct Event {
    gpu: Gpu,
    event: CudaEvent,
}

impl Event {
    /// Waits until the point that was last marked is reached.
    pub fn reached(&self) -> Result<(), CudaError> {
        self.event.synchronize().map_err(self.gpu.failed("work on the GPU"))
    }

    /// The time from this point to `end`, both of [`Gpu::timed_event`]. Waits for them.
    pub fn until(&self, end: &Self) -> Result<Duration, CudaError> {
        let milliseconds = self
            .event
            .elapsed_ms(&end.event)
            .map_err(self.gpu.failed("reading a time"))?;
        Ok(Duration::from_secs_f64(f64::from(milliseconds.max(0.0)) / 1e3))
    }
}
