//! How a step spends its time.

use std::ops::Range;
use std::time::Duration;

/// What a piece of work computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Outputs from inputs.
    Forward,
    /// The gradient of the input.
    BackwardData,
    /// The gradients of weights and biases.
    BackwardWeights,
    /// The solver's step.
    Update,
}

impl Direction {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::BackwardData => "backward_data",
            Self::BackwardWeights => "backward_weights",
            Self::Update => "update",
        }
    }
}

/// A piece of a step's work, and how long it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lap {
    /// The layers that it covers: several if they are fused, none if it makes the network's input of rows. The loss counts as
    /// the layer after the last.
    pub layers: Range<usize>,
    /// What was computed.
    pub direction: Direction,
    /// The algorithm, where the device has a choice.
    pub algorithm: Option<&'static str>,
    /// Its part of the step's time. When threads work on several pieces in parallel, the elapsed time is divided among
    /// these pieces in proportion to the time that the threads spent on them.
    pub time: Duration,
}
