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
    /// From 0 in the phase.
    pub batch: u32,
}

impl Position {
    /// The first batch of a run.
    pub const START: Self = Self {
        epoch: 0,
        phase: Phase::Train,
        batch: 0,
    };
}

/// Identifies a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Counts all batches of this process, from 0. Receipts carry it as their address.
    pub serial: u64,
    /// Its position in the run.
    pub position: Position,
    /// Rows in use; fewer than the slot has only at the end of a phase.
    pub rows: u32,
    /// Whether it is the last of its phase.
    pub last: bool,
    /// Whether it is the last of the run.
    pub end_of_run: bool,
}
