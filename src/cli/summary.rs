//! The end of a run: its report, and its last lines.

use super::folder::RunFolder;
use super::{Failure, program, quoted};
use crate::model::checkpoint;
use crate::observe::digest::{Digest, EvalEvent};
use crate::observe::live::{fitted_answer, fitted_command};
use crate::observe::report::{Page, State};
use crate::observe::terminal::{answer, tell};
use crate::plan::Plan;
use crate::stages::compute::Score;
use crate::text;

/// The results of a run.
struct Outcome {
    step: u64,
    newest: Option<Score>,
    best: Option<Score>,
}

/// Writes the report. If the run is complete, prints where everything is.
pub(super) fn finish(folder: &RunFolder, plan: &Plan, finished: bool) -> Result<(), Failure> {
    let digest = Digest::read(&folder.metrics()).map_err(Failure::failed)?;
    if let Some(what) = digest.damaged.text() {
        tell!("warning: {}: {what}", text::path(&folder.metrics()));
    }
    let page = folder.page(&plan.config, digest);
    let state = if finished { State::Complete } else { State::Interrupted };
    page.write(state)
        .map_err(|error| Failure::Failed(format!("{}: {error}", text::path(&page.path))))?;
    if !finished {
        return Ok(());
    }
    let newest = checkpoint::list(&folder.checkpoints()).map_err(Failure::failed)?.pop();
    let Some((step, _)) = newest else {
        return Err(Failure::Failed(format!(
            "{}: no checkpoint was written",
            text::path(&folder.checkpoints())
        )));
    };
    folder.forget_replay()?;
    Outcome::of_events(step, &page.digest).print(folder, plan, &page);
    Ok(())
}

impl Outcome {
    /// The results according to the events.
    fn of_events(step: u64, digest: &Digest) -> Self {
        let score = |eval: &EvalEvent| Score {
            step: eval.step,
            top1_error: eval.top1_error,
            top5_error: eval.top5_error,
        };
        Self {
            step,
            newest: digest.evals.kept.back().map(score),
            best: digest.best.as_ref().map(score),
        }
    }

    /// Prints the last lines of a run.
    fn print(&self, folder: &RunFolder, plan: &Plan, page: &Page) {
        let program = program();
        let out = quoted(&folder.path().display().to_string());
        answer!("done: {}", text::counted(self.step, "step"));
        if let Some(newest) = self.newest {
            answer!(
                "top-1 error  {:.4}   top-5 error  {:.4}",
                newest.top1_error,
                newest.top5_error
            );
        }
        let newest = self.newest.map(|newest| newest.step);
        if let Some(best) = self.best.filter(|best| Some(best.step) != newest) {
            answer!("best top-1 error {:.4} at step {}", best.top1_error, best.step);
        }
        if let Some(verdict) = &page.digest.verdict {
            let verdict = format!("verdict      {}", text::plain(&verdict.text));
            answer!("{}", fitted_answer(&verdict));
        }
        match page.digest.skipped.count {
            0 => {}
            1 => answer!("skipped      1 image; the report names it"),
            count => answer!("skipped      {}; the report names them", text::counted(count, "image")),
        }
        let checkpoint = folder.checkpoints().join(checkpoint::file_name(self.step));
        answer!("checkpoint   {}", text::path(&checkpoint));
        answer!("report       {}", text::path(&page.path));
        let mut next = Vec::new();
        if plan.itinerary.val_samples > 0 {
            next.push(format!("{program} eval {out} --crops 10"));
        }
        next.push(format!("{program} predict {out} IMAGE.jpg"));
        let run = &plan.config.run;
        let more = match run.steps {
            Some(steps) => format!("run.steps={}", steps.saturating_add(steps.div_ceil(2))),
            None => format!("run.epochs={}", run.epochs.saturating_add(run.epochs.div_ceil(2))),
        };
        let config = quoted(&folder.config().display().to_string());
        next.push(format!("{program} run {config} --resume --set {more}"));
        for (number, command) in next.iter().enumerate() {
            let label = if number == 0 { "next" } else { "" };
            answer!("{}", fitted_command(&format!("{label:<13}"), command));
        }
    }
}
