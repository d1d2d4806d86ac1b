//! Lowers the learning rate when the validation error stops falling, as the paper's authors did by hand (section 5).

use serde::{Deserialize, Serialize};

use crate::config::solver::Schedule;

/// The state of the plateau schedule: part of every checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlateauState {
    /// The lowest error that counted as an improvement; `None` before the first evaluation.
    pub best: Option<f64>,
    /// Evaluations since then.
    pub without_improvement: u32,
    /// How often the rate was lowered.
    pub drops: u32,
    /// The current factor of the rate.
    pub factor: f64,
}

impl Default for PlateauState {
    fn default() -> Self {
        Self {
            best: None,
            without_improvement: 0,
            drops: 0,
            factor: 1.0,
        }
    }
}

/// The rule of `schedule = "plateau"`, with its state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plateau {
    factor: f64,
    patience: u32,
    threshold: f64,
    max_drops: u32,
    /// The current state.
    pub state: PlateauState,
}

impl Plateau {
    /// The rule of `schedule`, continued from `state`; `None` for any other schedule.
    pub fn new(schedule: &Schedule, state: PlateauState) -> Option<Self> {
        let &Schedule::Plateau {
            factor,
            patience,
            threshold,
            max_drops,
        } = schedule
        else {
            return None;
        };
        Some(Self {
            factor: f64::from(factor),
            patience,
            threshold: f64::from(threshold),
            max_drops,
            state,
        })
    }

    /// Records the `top1_error` of an evaluation. Returns the new factor if the rate is lowered now.
    pub fn observe(&mut self, top1_error: f64) -> Option<f64> {
        let state = &mut self.state;
        if state.best.is_none_or(|best| top1_error < best - self.threshold) {
            state.best = Some(top1_error);
            state.without_improvement = 0;
            return None;
        }
        state.without_improvement += 1;
        if state.without_improvement < self.patience.max(1) || state.drops >= self.max_drops {
            return None;
        }
        state.without_improvement = 0;
        state.drops += 1;
        state.factor *= self.factor;
        Some(state.factor)
    }
}
