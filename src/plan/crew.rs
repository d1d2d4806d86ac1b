//! The workers of the stages.

use std::fmt;

use crate::config::Config;
use crate::config::workers::Workers;

/// How many workers a stage begins with and how many it may come to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crew {
    /// Workers that take part from the start.
    pub start: usize,
    /// Workers that there are; those beyond the ones that take part are parked.
    pub most: usize,
}

impl Crew {
    /// What the configuration says; by itself it comes to `most` workers at most.
    pub fn new(workers: Workers, most: usize) -> Self {
        match workers {
            // From one up: what the device needs for itself is known only when it works.
            Workers::Auto => Self {
                start: 1,
                most: most.max(1),
            },
            Workers::Fixed(count) => Self {
                start: count.get(),
                most: count.get(),
            },
        }
    }
}

/// The stages whose numbers of workers are free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crews {
    /// Decode's workers.
    pub decode: Crew,
    /// Augment's workers.
    pub augment: Crew,
}

impl Crews {
    /// What the configuration says; a stage comes to `most` workers at most by itself.
    pub fn new(config: &Config, most: usize) -> Self {
        Self {
            decode: Crew::new(config.decode.workers, most),
            augment: Crew::new(config.augment.workers, most),
        }
    }

    /// Whether any of them has more workers than take part from the start.
    pub fn can_grow(self) -> bool {
        [self.decode, self.augment].iter().any(|crew| crew.start < crew.most)
    }
}

impl fmt::Display for Crew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.start == self.most {
            f.pad(&self.most.to_string())
        } else {
            f.pad(&format!("{} to {}", self.start, self.most))
        }
    }
}
