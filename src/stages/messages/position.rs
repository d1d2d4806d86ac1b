//! Where in a run a batch belongs.

use serde::{Deserialize, Serialize};

/// What a batch is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Updates the weights.
    Train,
    /// Measures the error on the validation set.
    Evaluate,
}

/// A place in the run: the next batch to be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// From 0.
    pub epoch: u32,
    /// Training comes before evaluation.
    pub phase: Phase,
    /// From 0 in the part.
    pub batch: u32,
}

impl Position {
    /// Before the first step.
    pub const START: Self = Self {
        epoch: 0,
        phase: Phase::Train,
        batch: 0,
    };
}

/// Which batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Counts every batch that this process makes, from 0: the address that receipts carry.
    pub serial: u64,
    /// Its place in the run.
    pub position: Position,
    /// Rows in use; fewer than the slot has only in the tail of a part.
    pub rows: u32,
    /// Whether it is the last of its part.
    pub last: bool,
    /// Whether it is the last of the run.
    pub end_of_run: bool,
}
