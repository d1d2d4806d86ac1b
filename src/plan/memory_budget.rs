//! The memory that a run may take, the memory that it needs, and the number of workers that fit.

use std::path::Path;

use super::available::available;
use super::{Buffers, Crews, ModelPlan, PlanError, needs};
use crate::config::Config;
use crate::config::memory::MemoryLimit;
use crate::memory::Bytes;

/// The percentage of the available memory that a run may take by default. The rest is for what no plan counts: threads, the
/// order of an epoch, the page cache for files being read, and the growth of other programs.
pub const SHARE: u64 = 80;

/// The limit on a run's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Set by `run.memory`. A run that needs more is refused.
    Asked(Bytes),
    /// [`SHARE`] of the available memory. This is a guess, so a run that needs more only gets a warning. Each stage has at
    /// least one worker.
    Share(Bytes),
    /// The system does not report the available memory.
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

    /// The limit in bytes; `None` if it is unknown.
    pub fn bytes(self) -> Option<Bytes> {
        match self {
            Self::Asked(bytes) | Self::Share(bytes) => Some(bytes),
            Self::Unknown => None,
        }
    }
}

/// The memory for workers: the limit, and the needs.
#[derive(Clone, Copy, Debug)]
pub struct MemoryBudget {
    /// The most that the run may take.
    pub limit: Limit,
    /// The need without any workers.
    fixed: Bytes,
    /// The need of each decode worker: the image that it is decoding, and a buffer.
    decoder: Bytes,
    /// The need of each augment worker: a buffer.
    augmenter: Bytes,
}

impl MemoryBudget {
    /// The budget for `config`, the network of `model`, and decode workers that need `workspace` bytes each. It is an error
    /// if the fewest workers need more than `run.memory`, or more than exists at all.
    pub fn new(config: &Config, model: &ModelPlan, workspace: Bytes) -> Result<Self, PlanError> {
        let fewest = Crews::new(config, 1);
        let buffers = Buffers::new(config, model, fewest);
        // If the size of a buffer depends on the images, it may have to hold a whole one.
        let buffer = buffers.pixel_buffer.unwrap_or(workspace);
        let budget = Self {
            limit: Limit::new(config.run.memory),
            fixed: model.memory().total() + buffers.snapshot + buffers.slots + buffer * config.augment.queue.get(),
            decoder: workspace + buffer,
            augmenter: buffer,
        };
        let needs = buffers.needs(&model.memory(), workspace);
        let needed = budget.needed(fewest);
        if let Limit::Asked(limit) = budget.limit
            && needed > limit
        {
            let largest = needs::largest(&needs);
            return Err(PlanError::Memory { limit, needed, largest });
        }
        needs::refuse_beyond_all(needs::RUN, &needs)?;
        Ok(budget)
    }

    /// The memory of the run with the largest numbers of workers in `crews`.
    pub fn needed(&self, crews: Crews) -> Bytes {
        self.fixed + self.decoder * crews.decode.max + self.augmenter * crews.augment.max
    }

    /// The workers for `config` on a machine with `cores` cores. A variable number is one per core or as many as fit, but
    /// at least one.
    pub fn crews(&self, config: &Config, cores: usize) -> Crews {
        let limit = self.limit.bytes().unwrap_or(Bytes::new(u64::MAX));
        let mut sizes = (1..=cores).rev().map(|max| Crews::new(config, max));
        let fitting = sizes.find(|crews| self.needed(*crews) <= limit);
        fitting.unwrap_or_else(|| Crews::new(config, 1))
    }
}
