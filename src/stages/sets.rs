//! The two data sets of a run.

use std::sync::Arc;

use crate::dataset::Dataset;
use crate::stages::messages::Phase;

/// Training and validation set; the same set twice if there is only one.
#[derive(Clone, Debug)]
pub struct Sets {
    /// Samples to learn from.
    pub train: Arc<Dataset>,
    /// Samples to measure the error on.
    pub val: Arc<Dataset>,
}

impl Sets {
    /// The set that a phase uses.
    pub fn of(&self, phase: Phase) -> &Dataset {
        match phase {
            Phase::Train => &self.train,
            Phase::Evaluate => &self.val,
        }
    }
}
