//! Advice on what to do next, for cases in which the same command would fail again.

use crate::config::Config;
use crate::config::solver::Schedule;
use crate::flow::{Exit, Fault};
use crate::model::solver::{Progress, learning_rate};
use crate::plan::Plan;
use crate::stages::compute::{ComputeError, RunState};
use crate::text;

/// Whether a flow ended because training diverged.
pub(super) fn has_diverged(exit: &Exit) -> bool {
    let Exit::Faulted(Fault::Failed(error)) = exit else {
        return false;
    };
    error
        .downcast_ref::<ComputeError>()
        .is_some_and(ComputeError::is_divergence)
}

/// The advice after divergence. `again` is the command that resumes the run, without a learning rate.
pub(super) fn after_divergence(plan: &Plan, again: &str) -> String {
    let lr = text::significant(f64::from(plan.config.solver.lr) / 10.0);
    let mut lines = plan.warnings();
    lines.push(format!(
        "resume with a smaller learning rate: `{again} --set solver.lr={lr}`"
    ));
    lines.join("\n")
}

/// The change of the learning rate if a run gets another length and its schedule depends on the length.
pub(super) fn of_another_length(saved: &RunState, plan: &Plan) -> Option<String> {
    let solver = &plan.config.solver;
    if !matches!(solver.schedule, Schedule::Cosine | Schedule::Polynomial { .. }) || saved.step == 0 {
        return None;
    }
    let way = &plan.itinerary;
    let per_epoch = u64::from(way.steps_per_epoch());
    let before = Config::parse("the checkpoint's configuration", &saved.config, &[]).ok()?;
    let whole = u64::from(before.run.epochs) * per_epoch;
    let total = before.run.steps.map_or(whole, u64::from);
    if total == way.steps || saved.step >= way.steps {
        return None;
    }
    let rate = |done, total_steps| {
        let progress = Progress {
            done,
            steps_per_epoch: per_epoch,
            total_steps,
        };
        learning_rate(solver, progress, 1.0)
    };
    Some(format!(
        "the learning rate schedule now covers {} steps instead of {total}: the rate was {:.2e} at the last step, and continues \
         at {:.2e}",
        way.steps,
        rate(saved.step - 1, total),
        rate(saved.step, way.steps)
    ))
}
