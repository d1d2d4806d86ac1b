//! Advice on what to do next, for cases in which the same command would fail again.

use super::quoted;
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

/// The advice after divergence: what looks wrong, or else a smaller learning rate. `again` makes the command that resumes the
/// run, without the settings of some keys.
pub(super) fn after_divergence(plan: &Plan, again: impl Fn(&[&str]) -> String) -> String {
    let warnings = plan.warnings();
    let mut changes: Vec<(&str, String)> = warnings
        .iter()
        .filter_map(|warning| Some((warning.key, warning.value.clone()?)))
        .collect();
    let mut lines: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    let what = if changes.is_empty() {
        let lr = text::significant(f64::from(plan.config.solver.lr) / 10.0);
        changes.push(("solver.lr", lr.to_string()));
        "a smaller learning rate"
    } else {
        "other settings"
    };
    let keys: Vec<&str> = changes.iter().map(|(key, _)| *key).collect();
    let mut command = again(&keys);
    for (key, value) in &changes {
        command += &format!(" --set {}", quoted(&format!("{key}={value}")));
    }
    lines.push(format!("resume with {what}: `{command}`"));
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
