//! Which of several devices a network is for, and which share of the work that device has.

use std::ops::Range;

use crate::config::compute::Parallel;
use crate::devices::share;

/// One device of several that train one network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Number of the device, from 0.
    pub index: usize,
    /// Number of devices.
    pub count: usize,
    /// How they share the work.
    pub parallel: Parallel,
}

impl Placement {
    /// The only device.
    pub const ALONE: Self = Self {
        index: 0,
        count: 1,
        parallel: Parallel::Data,
    };

    /// The placements of all `count` devices.
    pub fn all(count: usize, parallel: Parallel) -> impl Iterator<Item = Self> {
        (0..count).map(move |index| {
            if count == 1 {
                Self::ALONE
            } else {
                Self { index, count, parallel }
            }
        })
    }

    /// This device's rows in a batch of `batch`.
    pub fn rows(self, batch: usize) -> Range<usize> {
        match self.parallel {
            Parallel::Data => share(batch, self.index, self.count),
            Parallel::Columns => 0..batch,
        }
    }
}
