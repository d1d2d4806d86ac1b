//! `pipeline eval`: the errors of a trained network on a data set, computed by the same stages as in training.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::run::ending;
use super::trained::Trained;
use super::{Failure, notes};
use crate::control::{self, Watch};
use crate::flow::{Fault, Stop};
use crate::observe::eta::Laps;
use crate::observe::progress::Progress;
use crate::observe::terminal::{self, answer};
use crate::plan::{self, Plan};
use crate::stages::compute::{Evaluated, Report, Reports};
use crate::text;
use crate::topology::{self, Beginning};

pub(super) const EXAMPLES: &str = "Examples:
  pipeline eval runs/fashion-mnist                     the best checkpoint on the validation set
  pipeline eval runs/fashion-mnist --crops 10
  pipeline eval step-00004690.safetensors --data other/val --json";

#[derive(Args)]
pub(super) struct EvalArgs {
    /// A run's folder, or a checkpoint
    run: PathBuf,
    /// Data set to evaluate on [default: the run's validation set]
    #[arg(long, value_name = "LOCATION")]
    data: Option<String>,
    /// Number of views of each image to average
    #[arg(long, value_parser = ["1", "10"])]
    crops: Option<String>,
    /// Prints the result as a JSON object
    #[arg(long)]
    json: bool,
    /// Overrides a key of the run's configuration
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
}

pub(super) fn main(args: &EvalArgs, quiet: bool) -> Result<(), Failure> {
    let mut sets = args.sets.clone();
    sets.extend(args.crops.iter().map(|crops| format!("evaluate.crops={crops}")));
    sets.extend(
        args.data
            .iter()
            .map(|data| format!("data.val={}", toml::Value::String(data.clone()))),
    );
    let mut trained = Trained::open(&args.run, &sets)?;
    let mut plan = plan(&trained)?;
    notes::of_data("data", &plan.sets.val, quiet);
    plan.itinerary.train_samples = 0;
    plan.itinerary.steps = 0;
    let devices = plan.model.build(&plan.config).map_err(Failure::plan)?;
    trained.fit(&plan.model.spec)?;
    let step = trained.state.step;
    let mut state = trained.state;
    state.position = crate::stages::Position::START;
    state.bad.clear();
    let beginning = Beginning {
        devices,
        weights: trained.loaded.parameters,
        state,
        expected: VecDeque::new(),
        statistics: trained.loaded.statistics,
        every_steps: 0,
    };
    let found = Arc::new(Mutex::new(None));
    let progress = Progress::new(&plan.itinerary, 0, 1, quiet || args.json);
    let listen = {
        let found = Arc::clone(&found);
        move |reports| listen(reports, progress, &found)
    };
    let stop = Stop::default();
    let topology = topology::training(&plan, beginning, &stop, listen).map_err(Failure::plan)?;
    let watch = Watch::silent(Duration::from_secs(u64::from(plan.config.run.stall_after_s)));
    ending(control::supervise(topology, &stop, watch), || {
        "stopped before the end; there is no result".to_string()
    })?;
    let result = found.lock().ok().and_then(|found| *found);
    let result: Evaluated =
        result.ok_or_else(|| Failure::Internal("the evaluation ended without a result".to_string()))?;
    print(args.json, step, plan.itinerary.views, &result);
    Ok(())
}

/// The plan of an evaluation. The training set need not exist.
fn plan(trained: &Trained) -> Result<Plan, Failure> {
    let config = trained.config.clone();
    let data = plan::open_validation(&config, &trained.state.classes)
        .map_err(|error| Failure::Usage(format!("data: {error}")))?;
    let Some(data) = data else {
        return Err(Failure::Usage(
            "the run has no validation set; choose a data set with --data".to_string(),
        ));
    };
    // From a different whole, a different part would be set aside, and the network may have been trained on it.
    if data.part_of().is_some() && data.fingerprint() != trained.state.data[1] {
        return Err(Failure::Usage(format!(
            "data.val is a part of data.train, but {} has changed since the run (names, labels or sizes differ), so the validation \
             images cannot be identified; restore it, or choose a data set with --data",
            text::plain(data.location())
        )));
    }
    Plan::of_evaluation(config, data).map_err(Failure::usage)
}

fn listen(reports: Reports, mut progress: Progress, found: &Mutex<Option<Evaluated>>) -> Result<(), Fault> {
    let mut laps = Laps::start();
    reports.pass(|report| {
        let seconds = laps.lap(report);
        if let (Report::Eval { result, .. }, Ok(mut found)) = (report, found.lock()) {
            *found = Some(*result);
        } else {
            progress.show(report, seconds);
        }
    })?;
    progress.end();
    Ok(())
}

fn print(as_json: bool, step: u64, crops: u32, result: &Evaluated) {
    let Evaluated {
        images,
        refused,
        loss,
        top1_error,
        top5_error,
    } = result;
    if as_json {
        let object = json!({
            "step": step, "crops": crops, "images": images, "skipped": refused, "loss": loss,
            "top1_error": top1_error, "top5_error": top5_error,
        });
        terminal::json(&object);
    } else {
        let views = if crops == 1 { "centre crop" } else { "mean of ten crops" };
        answer!("step {step}, {images} images ({views}), {refused} skipped");
        answer!("top-1 error  {top1_error:.4}   top-5 error  {top5_error:.4}   loss  {loss:.4}");
    }
}
