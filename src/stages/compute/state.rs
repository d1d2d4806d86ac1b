//! Everything about a run that is neither configuration nor weights: what a checkpoint must hold so that a resumed run
//! goes on bit for bit.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::solver::PlateauState;
use crate::stages::passage::{Part, Position};

/// The state of a run between two batches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// Updates done.
    pub step: u64,
    /// The next batch.
    pub position: Position,
    /// Rolling hash of the training stream so far.
    pub stream: u64,
    /// What the plateau schedule has seen.
    pub plateau: PlateauState,
    /// The best evaluation so far.
    pub best: Option<Score>,
    /// The newest evaluation.
    pub newest: Option<Score>,
    /// Distinct bad samples met so far.
    pub bad: BTreeSet<(Part, u32)>,
    /// Whether the run has reached its end.
    pub finished: bool,
    /// Fingerprint of training and validation set.
    pub data: [u64; 2],
    /// Names of the classes, in the order of their labels.
    pub classes: Vec<String>,
    /// The configuration, resolved.
    pub config: String,
}

/// An evaluation, in short.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// After this many updates.
    pub step: u64,
    /// Share of images whose first guess was wrong.
    pub top1_error: f64,
    /// Share of images whose class was not among the first five guesses.
    pub top5_error: f64,
}

impl RunState {
    /// Before the first step.
    pub fn new(data: [u64; 2], classes: Vec<String>, config: String) -> Self {
        Self {
            step: 0,
            position: Position::START,
            stream: 0,
            plateau: PlateauState::default(),
            best: None,
            newest: None,
            bad: BTreeSet::new(),
            finished: false,
            data,
            classes,
            config,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The checksum of a checkpoint is of this text, written and read back: not a bit of any error may be lost.
    #[test]
    fn every_error_comes_back_as_it_was_written() {
        for images in [3925u32, 50_000, 10_000, 7] {
            for wrong in 0..images {
                let top1_error = f64::from(wrong) / f64::from(images);
                let score = Score {
                    step: 1,
                    top1_error,
                    top5_error: top1_error / 3.0,
                };
                let state = RunState {
                    best: Some(score),
                    ..RunState::new([1, 2], Vec::new(), String::new())
                };
                let value = serde_json::to_value(&state).unwrap();
                let back: serde_json::Value = serde_json::from_str(&value.to_string()).unwrap();
                assert_eq!(value.to_string(), back.to_string());
                assert_eq!(serde_json::from_value::<RunState>(back).unwrap(), state);
            }
        }
    }
}
