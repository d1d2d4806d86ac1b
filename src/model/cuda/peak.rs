//! The most that a GPU can do: multiply-adds, and copies within its memory.

use std::time::Duration;

use super::plan::Plan;
use crate::devices::cuda::{CudaError, DeviceMemory, Event, Kernels, Stream};
use crate::model::Peak;
use crate::ops::peak::cuda;

/// A burst is at least this long, or at most so many rounds.
const BURST: Duration = Duration::from_millis(1);
const MOST_ROUNDS: usize = 1 << 16;

/// Copies of a burst.
const COPIES: usize = 8;

/// Measures a peak again and again.
pub struct PeakMeter {
    kernels: Kernels,
    start: Event,
    end: Event,
    /// Rounds of a burst that is long enough.
    rounds: usize,
}

impl PeakMeter {
    /// One that measures on the GPU of `stream`.
    pub fn new(stream: &Stream) -> Result<Self, CudaError> {
        let gpu = stream.gpu();
        Ok(Self {
            kernels: Kernels::new(gpu),
            start: gpu.timed_event()?,
            end: gpu.timed_event()?,
            rounds: 1,
        })
    }

    /// One burst of each kind. Overwrites one of the maps of gradients.
    pub fn measure(&mut self, stream: &Stream, plan: &Plan, memory: &DeviceMemory) -> Result<Peak, CudaError> {
        let multiply_adds = loop {
            let launch = cuda::launch(&mut self.kernels, memory.at(plan.peak), self.rounds)?;
            let time = self.timed(stream, |stream| stream.launch(&launch, false))?;
            if time >= BURST || self.rounds >= MOST_ROUNDS {
                break time;
            }
            self.rounds *= 4;
        };
        let [from, to] = plan.gradients;
        let copies = self.timed(stream, |stream| {
            (0..COPIES).try_for_each(|_| stream.copy_within(memory, from, to))
        })?;
        let per_second = |count: usize, time: Duration| count as f64 / time.as_secs_f64().max(1e-9);
        Ok(Peak {
            flops: per_second(cuda::OPERATIONS * self.rounds, multiply_adds),
            // Each byte is read and written.
            bytes: Some(per_second(2 * COPIES * from.bytes(), copies)),
        })
    }

    fn timed(
        &self,
        stream: &Stream,
        work: impl FnOnce(&Stream) -> Result<(), CudaError>,
    ) -> Result<Duration, CudaError> {
        stream.record(&self.start)?;
        work(stream)?;
        stream.record(&self.end)?;
        self.start.until(&self.end)
    }
}
