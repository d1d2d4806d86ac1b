//! The workers of a stage.

use std::fmt;

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
    /// What the configuration says, on a machine with `cores` cores.
    pub fn new(workers: Workers, cores: usize) -> Self {
        match workers {
            // From one up: what the device needs for itself is known only when it works.
            Workers::Auto => Self {
                start: 1,
                most: cores.max(1),
            },
            Workers::Fixed(count) => Self {
                start: count.get(),
                most: count.get(),
            },
        }
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
