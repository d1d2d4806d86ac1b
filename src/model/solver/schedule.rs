//! The learning rate as a function of the step (paper, section 5, and the schedules that came later).

use crate::config::solver::{Schedule, Solver};

/// Where in the run a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Updates done before this one.
    pub done: u64,
    /// Updates of an epoch.
    pub steps_per_epoch: u64,
    /// Updates of the whole run.
    pub total_steps: u64,
}

impl Progress {
    /// The epoch, from 0.
    pub fn epoch(self) -> u64 {
        self.done / self.steps_per_epoch.max(1)
    }

    /// Epochs done, with their fraction.
    fn epochs(self) -> f64 {
        self.done as f64 / self.steps_per_epoch.max(1) as f64
    }

    /// The share of all steps that is done, at most 1.
    fn share(self) -> f64 {
        (self.done as f64 / self.total_steps.max(1) as f64).min(1.0)
    }
}

/// ε of the step at `progress`. `plateau` is the current factor of [`Plateau`](super::Plateau), or 1.
pub fn learning_rate(solver: &Solver, progress: Progress, plateau: f64) -> f32 {
    (f64::from(solver.lr) * factor(&solver.schedule, progress, plateau) * warmup(solver, progress)) as f32
}

/// What the schedule multiplies the rate by.
fn factor(schedule: &Schedule, progress: Progress, plateau: f64) -> f64 {
    let epoch = progress.epoch();
    match schedule {
        Schedule::Constant => 1.0,
        Schedule::Step { every_epochs, factor } => power(*factor, (epoch / u64::from((*every_epochs).max(1))) as f64),
        Schedule::Multistep { epochs, factor } => power(
            *factor,
            epochs.iter().filter(|at| u64::from(**at) <= epoch).count() as f64,
        ),
        Schedule::Polynomial { power: exponent } => libm::pow(1.0 - progress.share(), f64::from(*exponent)),
        Schedule::Exponential { factor } => power(*factor, progress.epochs()),
        Schedule::Cosine => 0.5 * (1.0 + libm::cos(std::f64::consts::PI * progress.share())),
        Schedule::Plateau { .. } => plateau,
    }
}

/// factor^exponent, the same on every machine.
fn power(factor: f32, exponent: f64) -> f64 {
    libm::pow(f64::from(factor), exponent)
}

/// Rises linearly over the steps of the first `warmup_epochs`. The last of them has the full rate.
fn warmup(solver: &Solver, progress: Progress) -> f64 {
    let steps = f64::from(solver.warmup_epochs) * progress.steps_per_epoch as f64;
    if steps > 0.0 {
        ((progress.done + 1) as f64 / steps).min(1.0)
    } else {
        1.0
    }
}
