//! Everything about a run that is neither configuration nor weights. A checkpoint contains it, so that a resumed run
//! continues bit for bit.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::solver::PlateauState;
use crate::stages::messages::{Phase, Position};

/// The state of a run between two batches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// Updates done.
    pub step: u64,
    /// The next batch.
    pub position: Position,
    /// Rolling hash of the training stream so far.
    pub stream: u64,
    /// State of the plateau schedule.
    pub plateau: PlateauState,
    /// The best evaluation so far.
    pub best: Option<Score>,
    /// The latest evaluation.
    pub newest: Option<Score>,
    /// Distinct bad samples so far.
    pub bad: BTreeSet<(Phase, u32)>,
    /// Whether the run has reached its end.
    pub finished: bool,
    /// Fingerprint of training and validation set.
    pub data: [u64; 2],
    /// Class names in label order.
    pub classes: Vec<String>,
    /// The configuration, resolved.
    pub config: String,
}

/// An evaluation, in short.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Updates done before it.
    pub step: u64,
    /// Share of images whose first guess was wrong.
    pub top1_error: f64,
    /// Share of images whose class was not among the first five guesses.
    pub top5_error: f64,
}

/// A state that contradicts itself. A checksum only proves that it is what was written, not that it makes sense.
#[derive(Debug, thiserror::Error)]
#[error("its state is inconsistent: {}", crate::text::plain(.0))]
pub struct SenselessState(String);

impl RunState {
    /// From a checkpoint's JSON.
    pub fn read(value: serde_json::Value) -> Result<Self, SenselessState> {
        let state: Self = serde_json::from_value(value).map_err(|error| SenselessState(error.to_string()))?;
        match state.contradiction() {
            None => Ok(state),
            Some(what) => Err(SenselessState(what.to_owned())),
        }
    }

    fn contradiction(&self) -> Option<&'static str> {
        let distinct: BTreeSet<&String> = self.classes.iter().collect();
        let is_share = |share: f64| (0.0..=1.0).contains(&share);
        let is_score =
            |score: &Score| score.step <= self.step && is_share(score.top1_error) && is_share(score.top5_error);
        if self.classes.len() < 2 {
            Some("it has fewer than two classes")
        } else if distinct.len() < self.classes.len() {
            Some("two of its classes have the same name")
        } else if !self.best.iter().chain(&self.newest).all(is_score) {
            Some("its error rates are outside 0..1 or belong to later steps")
        } else if !(self.plateau.factor.is_finite() && self.plateau.factor >= 0.0) {
            Some("the factor of its learning rate is negative or not finite")
        } else {
            None
        }
    }

    /// The state before the first step.
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

    /// A resumed run compares errors with those that were written: not a bit of any may be lost.
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
                    step: 1,
                    ..RunState::new([1, 2], classes(), String::new())
                };
                let value = serde_json::to_value(&state).unwrap();
                let back: serde_json::Value = serde_json::from_str(&value.to_string()).unwrap();
                assert_eq!(value.to_string(), back.to_string());
                assert_eq!(RunState::read(back).unwrap(), state);
            }
        }
    }

    fn classes() -> Vec<String> {
        vec!["a".to_owned(), "b".to_owned()]
    }

    #[test]
    fn a_state_that_contradicts_itself_is_refused() {
        let score = |step, top1_error| {
            Some(Score {
                step,
                top1_error,
                top5_error: 0.0,
            })
        };
        let changes: [&dyn Fn(&mut RunState); 7] = [
            &|state| state.classes.clear(),
            &|state| state.classes.truncate(1),
            &|state| state.classes[1] = state.classes[0].clone(),
            &|state| state.best = score(3, 0.5),
            &|state| state.newest = score(2, 1.5),
            &|state| state.best = score(2, -0.5),
            &|state| state.plateau.factor = -1.0,
        ];
        let state = RunState {
            step: 2,
            best: score(2, 0.5),
            ..RunState::new([1, 2], classes(), String::new())
        };
        let read = |state: &RunState| RunState::read(serde_json::to_value(state).unwrap());
        assert_eq!(read(&state).unwrap(), state);
        for (i, change) in changes.into_iter().enumerate() {
            let mut changed = state.clone();
            change(&mut changed);
            assert!(read(&changed).is_err(), "change {i}");
        }
        assert!(RunState::read(serde_json::json!({ "step": 1 })).is_err());
    }
}
