//! How much memory a run may take, what it needs, and how many workers that leaves room for.

use std::path::Path;

use super::available::available;
use super::{Buffers, Crew, Crews, ModelPlan, PlanError};
use crate::config::Config;
use crate::config::memory::MemoryLimit;

/// Percent of the available memory that a run may take by itself. The rest is for what no plan counts: threads, the order of
/// an epoch, the page cache that files are read through, and the other programs' next minute.
pub const SHARE: u64 = 80;

/// The most that a run may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// By `run.memory`: a run that needs more is refused.
    Asked(u64),
    /// [`SHARE`] of what was available. One worker a stage there is in any case.
    Share(u64),
    /// The system does not tell what is available.
    Unknown,
}

impl Limit {
    fn new(memory: MemoryLimit) -> Self {
        match memory {
            MemoryLimit::Bytes(bytes) => Self::Asked(bytes),
            MemoryLimit::Auto => {
                available(Path::new("/")).map_or(Self::Unknown, |bytes| Self::Share(bytes / 100 * SHARE))
            }
        }
    }

    /// In bytes; none where there is none.
    pub fn bytes(self) -> Option<u64> {
        match self {
            Self::Asked(bytes) | Self::Share(bytes) => Some(bytes),
            Self::Unknown => None,
        }
    }
}

/// Memory for workers: what is allowed and what they take.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// The most that the run may take.
    pub limit: Limit,
    /// Bytes that it takes without any worker.
    fixed: u64,
    /// Bytes that each worker of decode adds: the image that it is at, and a buffer in its hand.
    decoder: u64,
    /// Bytes that each worker of augment adds: a buffer in its hand.
    augmenter: u64,
}

impl Room {
    /// For `config`, the network of `model` and decode workers that work in `workspace` bytes each. It is an error
    /// where the memory that was asked for is too little for the fewest workers.
    pub fn new(config: &Config, model: &ModelPlan, workspace: u64) -> Result<Self, PlanError> {
        let fewest = Crews::new(config, 1);
        let buffers = Buffers::new(config, model, fewest);
        // Where the images decide how large a buffer is, it may have to hold a whole one.
        let buffer = buffers.pixel_buffer.unwrap_or(workspace);
        let room = Self {
            limit: Limit::new(config.run.memory),
            fixed: model.memory().total()
                + buffers.snapshot
                + buffers.slots
                + buffer * config.augment.queue.get() as u64,
            decoder: workspace + buffer,
            augmenter: buffer,
        };
        match room.limit {
            Limit::Asked(limit) if room.needed(fewest) > limit => Err(PlanError::Memory {
                limit,
                needed: room.needed(fewest),
            }),
            _ => Ok(room),
        }
    }

    /// Bytes that the run takes with as many workers as `crews` may come to have.
    pub fn needed(&self, crews: Crews) -> u64 {
        let of = |crew: Crew, bytes: u64| bytes.saturating_mul(crew.most as u64);
        self.fixed
            .saturating_add(of(crews.decode, self.decoder))
            .saturating_add(of(crews.augment, self.augmenter))
    }

    /// The workers of `config` on a machine with `cores` cores: where their number is free, one a core or as many as there
    /// is room for, and one at least.
    pub fn crews(&self, config: &Config, cores: usize) -> Crews {
        let limit = self.limit.bytes().unwrap_or(u64::MAX);
        let mut sizes = (1..=cores).rev().map(|most| Crews::new(config, most));
        let fitting = sizes.find(|crews| self.needed(*crews) <= limit);
        fitting.unwrap_or_else(|| Crews::new(config, 1))
    }
}
