//! measure: means and principal components of a training set. Sums are integers, so the number of workers changes nothing.
//! upstream: decode

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::dataset::Dataset;
use crate::dataset::sums::Sums;
use crate::flow::{Fault, Inlet, Outlet, Stop};
use crate::stages::compute::ComputeError;
use crate::stages::decode::Request;
use crate::stages::frame::{Frame, Region};
use crate::stages::messages::{Phase, Pixels};
use crate::stages::rule::Rule;

/// A request for the whole frame of a training sample.
#[derive(Clone, Copy, Debug)]
pub struct WholeFrame(pub u32);

impl Request for WholeFrame {
    fn phase(&self) -> Phase {
        Phase::Train
    }
    fn sample(&self) -> u32 {
        self.0
    }
    fn region(&self, _: &Rule, _: u32, frame: Frame) -> Region {
        Region::whole(frame)
    }
}

/// Requests every sample once.
pub fn source(samples: u32, requests: Outlet<WholeFrame>, stop: &Stop) -> Result<(), Fault> {
    for sample in 0..samples {
        if stop.is_requested() {
            return Err(Fault::Aborted);
        }
        requests.send(WholeFrame(sample))?;
    }
    requests.finish();
    Ok(())
}

/// How many bad images the pass may meet, over all its workers. Training has the same limit.
#[derive(Debug)]
pub struct Budget {
    /// How many are allowed.
    pub max: u32,
    /// How many there were so far.
    pub met: AtomicU32,
}

impl Budget {
    /// Counts one. The pass ends at the first above the limit.
    fn spend(&self, data: &Dataset, sample: u32, reason: &str) -> Result<(), Fault> {
        if self.met.fetch_add(1, Ordering::Relaxed) < self.max {
            return Ok(());
        }
        let (sample, reason) = (data.id(sample as usize).to_string(), reason.to_string());
        Err(Fault::failed(ComputeError::TooManyBad {
            max: self.max,
            sample,
            reason,
        }))
    }
}

/// The settings of every measuring worker.
#[derive(Clone)]
pub struct Measure {
    /// Side of every frame, if a mean image is wanted.
    pub square: Option<u32>,
    /// The names of bad images come from here.
    pub data: Arc<Dataset>,
    /// Shared by all workers.
    pub budget: Arc<Budget>,
    /// Called for each image.
    pub progress: Arc<dyn Fn() + Send + Sync>,
}

/// Adds up frames until the end of data, then sends the sums.
pub fn run(
    measure: &Measure,
    pixels: &Inlet<Pixels<WholeFrame>>,
    spare: Outlet<Vec<u8>>,
    sums: Outlet<Sums>,
) -> Result<(), Fault> {
    let mut own = Sums::new(measure.square);
    while let Some(item) = pixels.next()? {
        if let Some(reason) = &item.refused {
            measure.budget.spend(&measure.data, item.ticket.0, reason)?;
            own.skip();
        } else {
            own.add(item.buffer.as_deref().unwrap_or_default());
        }
        // decode may have ended already; then nobody needs the buffer.
        let _ = item.buffer.map(|buffer| spare.send(buffer));
        (measure.progress)();
    }
    sums.send(own)?;
    sums.finish();
    spare.finish();
    Ok(())
}
