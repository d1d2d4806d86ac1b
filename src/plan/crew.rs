//! The workers of the stages.

use std::fmt;

use crate::config::Config;
use crate::config::workers::Workers;

/// The number of workers that a stage begins with, and the most it may get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crew {
    /// Workers active from the start.
    pub start: usize,
    /// All workers. Those that are not active are parked.
    pub max: usize,
}

impl Crew {
    /// The crew for a setting. `auto` allows at most `max` workers.
    pub fn new(workers: Workers, max: usize) -> Self {
        match workers {
            // It starts at one: what the device itself needs is only known once it works.
            Workers::Auto => Self {
                start: 1,
                max: max.max(1),
            },
            Workers::Fixed(count) => Self {
                start: count.get(),
                max: count.get(),
            },
        }
    }
}

/// The stages with a variable number of workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crews {
    /// Decode's workers.
    pub decode: Crew,
    /// Augment's workers.
    pub augment: Crew,
}

impl Crews {
    /// The crews for a configuration. `auto` allows at most `max` workers per stage.
    pub fn new(config: &Config, max: usize) -> Self {
        Self {
            decode: Crew::new(config.decode.workers, max),
            augment: Crew::new(config.augment.workers, max),
        }
    }

    /// Whether any stage has more workers than are active from the start.
    pub fn can_grow(self) -> bool {
        [self.decode, self.augment].iter().any(|crew| crew.start < crew.max)
    }
}

impl fmt::Display for Crew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.start == self.max {
            f.pad(&self.max.to_string())
        } else {
            f.pad(&format!("{} to {}", self.start, self.max))
        }
    }
}
