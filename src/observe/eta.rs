//! Estimates how long a run will still take.

use std::time::Instant;

use crate::stages::compute::Report;
use crate::stages::messages::Phase;
use crate::stages::source::Itinerary;

/// The least weight of a new time, so that the estimate follows a run that becomes faster or slower.
const LEAST_WEIGHT: f64 = 0.02;

/// The assumed cost of an evaluation's batch, relative to a training step, until one is measured: forward is a third of
/// forward and backward.
const EVALUATION: f64 = 1.0 / 3.0;

/// Measures the time between reports that end a batch.
pub struct Laps(Instant);

impl Laps {
    /// Starts the clock.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Seconds since the last report that ended a batch, if `report` ends one; otherwise 0.
    pub fn lap(&mut self, report: &Report) -> f64 {
        match report {
            Report::Step { .. } | Report::EvalProgress { .. } | Report::Eval { .. } => {
                let before = std::mem::replace(&mut self.0, Instant::now());
                before.elapsed().as_secs_f64()
            }
            _ => 0.0,
        }
    }
}

/// An estimate of the remaining time, from the times of the batches so far.
#[derive(Clone, Debug)]
pub struct Eta {
    steps: u64,
    evaluations: u64,
    step_s: Mean,
    evaluation_s: Mean,
}

impl Eta {
    /// An estimate for a run along `way` that has done `step` updates.
    pub fn new(way: &Itinerary, step: u64) -> Self {
        let per_epoch = u64::from(way.steps_per_epoch().max(1));
        // An evaluation at exactly `step` may be done or not. It is counted: it is small compared to the rest.
        let from = (step.saturating_sub(1) / per_epoch) as u32;
        let evaluations = (from..way.epochs()).map(|epoch| u64::from(way.batches(epoch, Phase::Evaluate)));
        Self {
            steps: way.steps.saturating_sub(step),
            evaluations: evaluations.sum(),
            step_s: Mean::default(),
            evaluation_s: Mean::default(),
        }
    }

    /// Counts the work of a report, which took `seconds`.
    pub fn count(&mut self, report: &Report, seconds: f64) {
        match report {
            Report::Step { .. } => {
                self.steps = self.steps.saturating_sub(1);
                self.step_s.add(seconds);
            }
            Report::EvalProgress { .. } => {
                self.evaluations = self.evaluations.saturating_sub(1);
                self.evaluation_s.add(seconds);
            }
            _ => {}
        }
    }

    /// Seconds left; `None` before any time is known.
    pub fn left(&self) -> Option<f64> {
        let evaluation = self
            .evaluation_s
            .value()
            .or_else(|| Some(EVALUATION * self.step_s.value()?));
        // A run without training, like that of `eval`, has no steps to wait for.
        let training = if self.steps == 0 { 0.0 } else { self.step_s.value()? };
        Some(self.steps as f64 * training + self.evaluations as f64 * evaluation?)
    }
}

/// A mean that forgets. The first time is ignored because it includes the filling of the pipeline.
#[derive(Clone, Debug, Default)]
struct Mean {
    mean: f64,
    count: u64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        if self.count > 0 {
            let weight = (1.0 / self.count as f64).max(LEAST_WEIGHT);
            self.mean += weight * (value - self.mean);
        }
        self.count += 1;
    }

    fn value(&self) -> Option<f64> {
        (self.count > 1).then_some(self.mean)
    }
}

/// A time in a readable unit: `45 s`, `3 min`, `2.5 h`, `3.1 days`.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} days", s / 86400.0),
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::stages::Partition;

    fn way() -> Itinerary {
        Itinerary {
            seed: 1,
            batch: 10,
            train_samples: 100,
            partition: Partition {
                ranks: NonZeroU32::MIN,
                rank: 0,
            },
            val_samples: 45,
            views: 1,
            every_epochs: NonZeroU32::MIN,
            steps: 30,
        }
    }

    fn step() -> Report {
        Report::Step {
            step: 1,
            epoch: 0,
            batch: 0,
            loss: 1.0,
            top1_error: 1.0,
            lr: 0.1,
            images: 10,
            stream: 0,
        }
    }

    #[test]
    fn nothing_is_said_before_a_whole_step_was_measured() {
        let mut eta = Eta::new(&way(), 0);
        assert_eq!(eta.left(), None);
        eta.count(&step(), 9.0);
        assert_eq!(eta.left(), None, "the first step fills the pipeline");
        eta.count(&step(), 3.0);
        // 28 steps, and three evaluations of 5 batches at a third of a step each.
        assert_eq!(eta.left(), Some(28.0 * 3.0 + 15.0));
    }

    #[test]
    fn evaluations_count_with_their_own_time() {
        let mut eta = Eta::new(&way(), 20);
        eta.count(&step(), 1.0);
        eta.count(&step(), 1.0);
        for seconds in [8.0, 4.0, 4.0] {
            eta.count(&Report::EvalProgress { done: 1, of: 5 }, seconds);
        }
        // After 20 of 30 steps the second epoch's evaluation may still come.
        assert_eq!(eta.left(), Some(8.0 + (10.0 - 3.0) * 4.0));
    }

    #[test]
    fn an_evaluation_alone_has_an_end_too() {
        let mut eta = Eta::new(
            &Itinerary {
                steps: 0,
                train_samples: 0,
                ..way()
            },
            0,
        );
        for _ in 0..3 {
            eta.count(&Report::EvalProgress { done: 1, of: 5 }, 2.0);
        }
        assert_eq!(eta.left(), Some(4.0));
    }
}
