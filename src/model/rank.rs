//! Which of several devices a network is for, and what falls to it.

use std::ops::Range;

use super::columns::column;
use super::{ModelError, Spec};
use crate::config::compute::Parallel;
use crate::devices::share;
use crate::ops::Chunks;

/// One device of several that train one network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rank {
    /// From 0.
    pub number: usize,
    /// How many devices there are.
    pub of: usize,
    /// What they share.
    pub parallel: Parallel,
}

impl Rank {
    /// The only device.
    pub const ALONE: Self = Self {
        number: 0,
        of: 1,
        parallel: Parallel::Data,
    };

    /// All ranks of `of` devices.
    pub fn all(of: usize, parallel: Parallel) -> impl Iterator<Item = Self> {
        (0..of).map(move |number| {
            if of == 1 {
                Self::ALONE
            } else {
                Self { number, of, parallel }
            }
        })
    }

    /// The layers of its network.
    pub fn spec(self, whole: &Spec) -> Result<Spec, ModelError> {
        match self.parallel {
            Parallel::Data => Ok(whole.clone()),
            Parallel::Columns => column(whole, self),
        }
    }

    /// Rows of a batch of `batch` that this device computes.
    pub fn rows(self, batch: usize) -> Range<usize> {
        match self.parallel {
            Parallel::Data => share(batch, self.number, self.of),
            Parallel::Columns => 0..batch,
        }
    }

    /// How its rows are cut: two devices have the halves of which sums over the batch are made anyway.
    pub(super) fn chunks(self, batch: usize) -> Chunks {
        let rows = self.rows(batch).len();
        if rows == batch {
            Chunks::new(batch)
        } else if self.of == 2 {
            Chunks::new(batch).half(self.number == 1)
        } else {
            Chunks::new(rows)
        }
    }
}
