//! How several processes that train together share an epoch's samples: each process is a rank.
//!
//! **The rule.** An epoch has one order of all its samples, shuffled by seed and epoch alone. Rank r of R has the positions
//! r, r + R, r + 2R, … of that order, cut into batches of B rows. So
//! - the ranks' samples are disjoint and together complete, in every epoch;
//! - in each step R ranks with batches of B see exactly the samples that one rank with a batch of R · B sees: row i of rank r
//!   is its row i · R + r;
//! - every rank has ⌈n / (R · B)⌉ steps. In the last step a rank may have one row fewer than another. If no sample is left for
//!   it, its batch is one row of padding, with weight 0.
//!
//! Nothing else depends on ranks: a sample's random numbers derive from seed, epoch and sample.

use std::num::NonZeroU32;

/// One rank's part of every epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// How many ranks there are.
    pub ranks: NonZeroU32,
    /// This rank's number, from 0.
    pub rank: u32,
}

impl Partition {
    /// The only rank.
    pub const WHOLE: Self = Self {
        ranks: NonZeroU32::MIN,
        rank: 0,
    };

    /// Whether there are other ranks.
    pub fn is_part(self) -> bool {
        self.ranks > NonZeroU32::MIN
    }

    /// This rank's share of `samples` samples.
    pub fn count(self, samples: u32) -> u32 {
        samples.saturating_sub(self.rank).div_ceil(self.ranks.get())
    }

    /// Steps of an epoch of `samples` samples in batches of `batch` rows: the same for all ranks.
    pub fn steps(self, samples: u32, batch: u32) -> u32 {
        // Rank 0 has the most.
        samples.div_ceil(self.ranks.get()).div_ceil(batch)
    }

    /// This rank's part of an epoch's order.
    pub fn of(self, order: Vec<u32>) -> Vec<u32> {
        if self.is_part() {
            let places = order.into_iter().skip(self.rank as usize);
            places.step_by(self.ranks.get() as usize).collect()
        } else {
            order
        }
    }
}
