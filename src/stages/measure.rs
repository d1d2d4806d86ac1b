//! measure: means and principal components of a training set, in integer sums, so that any worker count gives the same.
//! upstream: decode

use crate::dataset::statistics::Sums;
use crate::flow::{Fault, Inlet, Outlet, Stop};
use crate::stages::augment::Rule;
use crate::stages::decode::{Frame, Region, Request};
use crate::stages::passage::{Part, Pixels};

/// A training sample of which the whole frame is wanted.
#[derive(Clone, Copy, Debug)]
pub struct WholeFrame(pub u32);

impl Request for WholeFrame {
    fn part(&self) -> Part {
        Part::Train
    }
    fn sample(&self) -> u32 {
        self.0
    }
    fn region(&self, _: &Rule, frame: Frame) -> Region {
        Region::whole(frame)
    }
}

/// Asks for every sample once.
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

/// Adds up frames until the end of data and hands on the sums. `square` is the side of every frame where a mean image
/// is wanted.
pub fn run(
    square: Option<u32>,
    pixels: &Inlet<Pixels<WholeFrame>>,
    spare: Outlet<Vec<u8>>,
    sums: Outlet<Sums>,
    progress: &(dyn Fn() + Sync),
) -> Result<(), Fault> {
    let mut own = Sums::new(square);
    while let Some(item) = pixels.next()? {
        if item.refused.is_none() {
            own.add(&item.buffer);
        } else {
            own.skip();
        }
        // decode may have ended already; then nobody needs the buffer.
        let _ = spare.send(item.buffer);
        progress();
    }
    sums.send(own)?;
    sums.finish();
    spare.finish();
    Ok(())
}
