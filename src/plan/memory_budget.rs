//! How much memory a run may take, what it needs, and how many workers that leaves room for.

use std::path::Path;

use super::available::available;
use super::{Buffers, Crews, ModelPlan, PlanError, needs};
use crate::config::Config;
use crate::config::memory::MemoryLimit;
use crate::memory::Bytes;

/// Percent of the available memory that a run may take by itself. The rest is for what no plan counts: threads, the order of
/// an epoch, the page cache that files are read through, and the other programs' next minute.
pub const SHARE: u64 = 80;

/// The most that a run may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// By `run.memory`: a run that takes more is refused.
    Asked(Bytes),
    /// [`SHARE`] of what was available: a guess, so that a run that takes more is warned of. One worker a stage there is in any
    /// case.
    Share(Bytes),
    /// The system does not tell what is available.
    Unknown,
}

impl Limit {
    fn new(memory: MemoryLimit) -> Self {
        match memory {
            MemoryLimit::Bytes(bytes) => Self::Asked(Bytes::new(bytes)),
            MemoryLimit::Auto => {
                available(Path::new("/")).map_or(Self::Unknown, |bytes| Self::Share(bytes.percent(SHARE)))
            }
        }
    }

    /// How much that is; none where there is none.
    pub fn bytes(self) -> Option<Bytes> {
        match self {
            Self::Asked(bytes) | Self::Share(bytes) => Some(bytes),
            Self::Unknown => None,
        }
    }
}

/// Memory for workers: what is allowed and what they take.
#[derive(Clone, Copy, Debug)]
pub struct MemoryBudget {
    /// The most that the run may take.
    pub limit: Limit,
    /// What it takes without any worker.
    fixed: Bytes,
    /// What each worker of decode adds: the image that it is at, and a buffer in its hand.
    decoder: Bytes,
    /// What each worker of augment adds: a buffer in its hand.
    augmenter: Bytes,
}

impl MemoryBudget {
    /// For `config`, the network of `model` and decode workers that work in `workspace` bytes each. It is an error
    /// where the fewest workers take more than was asked for, or more than there is at all.
    pub fn new(config: &Config, model: &ModelPlan, workspace: Bytes) -> Result<Self, PlanError> {
        let fewest = Crews::new(config, 1);
        let buffers = Buffers::new(config, model, fewest);
        // Where the images decide how large a buffer is, it may have to hold a whole one.
        let buffer = buffers.pixel_buffer.unwrap_or(workspace);
        let room = Self {
            limit: Limit::new(config.run.memory),
            fixed: model.memory().total() + buffers.snapshot + buffers.slots + buffer * config.augment.queue.get(),
            decoder: workspace + buffer,
            augmenter: buffer,
        };
        let needs = needs::of_run(&model.memory(), &buffers, workspace);
        let needed = room.needed(fewest);
        if let Limit::Asked(limit) = room.limit
            && needed > limit
        {
            let largest = needs::largest(&needs);
            return Err(PlanError::Memory { limit, needed, largest });
        }
        needs::refuse_beyond_all(needs::RUN, &needs)?;
        Ok(room)
    }

    /// What the run takes with as many workers as `crews` may come to have.
    pub fn needed(&self, crews: Crews) -> Bytes {
        self.fixed + self.decoder * crews.decode.most + self.augmenter * crews.augment.most
    }

    /// The workers of `config` on a machine with `cores` cores: where their number is free, one a core or as many as there
    /// is room for, and one at least.
    pub fn crews(&self, config: &Config, cores: usize) -> Crews {
        let limit = self.limit.bytes().unwrap_or(Bytes::new(u64::MAX));
        let mut sizes = (1..=cores).rev().map(|most| Crews::new(config, most));
        let fitting = sizes.find(|crews| self.needed(*crews) <= limit);
        fitting.unwrap_or_else(|| Crews::new(config, 1))
    }
}
