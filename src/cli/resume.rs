//! Determines where a run begins: at its newest good checkpoint, or at the start.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use super::folder::{self, RunFolder};
use super::{ConfigArgs, Failure, trained, unreadable};
use crate::config::Config;
use crate::config::compute::{Compute, Parallel};
use crate::config::devices::{Devices, Kind};
use crate::dataset::statistics::Statistics;
use crate::files;
use crate::model::Parameter;
use crate::model::checkpoint::{self, CheckpointError, Content, Loaded};
use crate::observe::cut::{Cut, cut};
use crate::observe::terminal::tell;
use crate::plan::Plan;
use crate::stages::compute::RunState;
use crate::text;

/// Keys that may differ on resume without a message. They change the speed or length of a run, or its output, but never the
/// result of a step.
const FREE: [&str; 19] = [
    "run.out",
    "run.epochs",
    "run.steps",
    "run.memory",
    "run.stall_after_s",
    "data.train",
    "data.val",
    "data.cache",
    "decode.workers",
    "decode.queue",
    "augment.workers",
    "augment.queue",
    "staging.slots",
    "staging.queue",
    "compute.blocking",
    "compute.threads",
    "compute.queue",
    "checkpoint.",
    "observe.",
];

/// Keys that change the order of sums, and so the last bits of the weights, but not the data trained on.
const DEVICES: [&str; 2] = ["compute.devices", "compute.parallel"];

/// Lets `"auto"` be what it came to when the run began.
pub(super) fn keep_devices(config: &mut Config) -> Result<(), Failure> {
    if config.compute.devices != Devices::Auto {
        return Ok(());
    }
    let path = config.run.out.join(folder::CONFIG);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if files::is_absence(&error) => return Ok(()),
        Err(error) => return Err(unreadable(&path, &error)),
    };
    // One that cannot be read is replaced by the run.
    if let Ok(before) = Config::parse(&text::path(&path), &text, &[]) {
        config.compute.devices = before.compute.devices;
    }
    Ok(())
}

/// The state that a run takes over.
pub(super) struct Resumed {
    /// The weights, with their momentum.
    pub(super) weights: Vec<Parameter>,
    /// The run's position.
    pub(super) state: RunState,
    /// Stream hashes of steps to be repeated.
    pub(super) expected: VecDeque<(u64, u64)>,
    /// Seconds of training so far.
    pub(super) elapsed_s: f64,
    /// Statistics of the training set, as used so far.
    pub(super) statistics: Option<Statistics>,
}

impl Resumed {
    /// Whether nothing is left to do.
    pub(super) fn is_complete(&self, plan: &Plan) -> bool {
        self.state.finished && self.state.step >= plan.itinerary.steps
    }

    /// The state of a new run. Events already in its folder belong to no run.
    pub(super) fn fresh(folder: &RunFolder, plan: &Plan) -> Result<Self, Failure> {
        folder.forget_replay()?;
        folder.forget_events()?;
        let classes = plan.sets.train.classes().to_vec();
        let state = RunState::new(plan.fingerprints(), classes, plan.config.to_toml());
        Ok(Self {
            weights: plan.model.initial_weights(&plan.config).map_err(Failure::plan)?,
            state,
            expected: VecDeque::new(),
            elapsed_s: 0.0,
            statistics: None,
        })
    }
}

/// Reads the newest good checkpoint and restores the folder to that moment; `None` if nothing was ever saved. A run
/// that has saved something but has no good checkpoint is not started again.
pub(super) fn resume(folder: &RunFolder, plan: &Plan, args: &ConfigArgs) -> Result<Option<Resumed>, Failure> {
    let Some((path, mut loaded)) = newest(folder)? else {
        return Ok(None);
    };
    let checkpoints = folder.checkpoints();
    let saved = trained::state(&path, &loaded)?;
    let is_altered = compare(&saved, plan, args)?;
    loaded.fit(&path, &plan.model.spec).map_err(Failure::failed)?;
    if !plan.itinerary.holds(saved.position, saved.step) {
        return Err(Failure::Failed(format!(
            "{}: its state is inconsistent: {} steps do not lead to epoch {}, batch {}",
            text::path(&path),
            saved.step,
            saved.position.epoch,
            saved.position.batch
        )));
    }
    let position = plan.itinerary.resumed(saved.position, saved.step);
    let state = RunState { position, ..saved };

    checkpoint::put_aside_after(&checkpoints, state.step).map_err(Failure::failed)?;
    if let Some(best) = state.best
        && !checkpoint::point_best(&checkpoints, best.step).map_err(Failure::failed)?
    {
        restore_best(&checkpoints, best.step, state.step, &loaded)?;
    }
    let Cut {
        steps,
        elapsed_s,
        damaged,
    } = cut(&folder.metrics(), &folder.replay(), &state).map_err(Failure::failed)?;
    for what in damaged {
        tell!("warning: {what}");
    }
    let expected = if is_altered {
        // Other settings give another stream.
        folder.forget_replay()?;
        VecDeque::new()
    } else {
        steps.into_iter().collect()
    };
    Ok(Some(Resumed {
        weights: loaded.parameters,
        state,
        expected,
        elapsed_s,
        statistics: loaded.statistics,
    }))
}

/// The newest good checkpoint; `None` if nothing was ever saved.
fn newest(folder: &RunFolder) -> Result<Option<(PathBuf, Loaded)>, Failure> {
    let Some((path, loaded)) = folder::newest_good(&folder.checkpoints()).map_err(Failure::failed)? else {
        return match folder.traces()? {
            None => Ok(None),
            Some(what) => Err(Failure::Failed(format!(
                "{}: the run cannot be resumed: {what}; start a new run with --set run.out=…, or remove the folder",
                text::path(folder.path())
            ))),
        };
    };
    if loaded.content == Content::Weights {
        return Err(Failure::Failed(format!(
            "{}: the file has weights but no momentum, so no run can resume from it; remove it",
            text::path(&path)
        )));
    }
    Ok(Some((path, loaded)))
}

/// Writes the best weights again, if a kill came between a checkpoint and them, or if a later best was lost. They come from the
/// checkpoint of that step, if it still exists.
fn restore_best(checkpoints: &Path, step: u64, newest: u64, loaded: &Loaded) -> Result<(), Failure> {
    let keep = |from: &Loaded| {
        checkpoint::keep_best(
            checkpoints,
            step,
            &from.parameters,
            from.statistics.as_ref(),
            &from.state,
        )
        .map_err(Failure::failed)
    };
    if step == newest {
        return keep(loaded);
    }
    let all = checkpoint::list(checkpoints).map_err(Failure::failed)?;
    let Some((_, path)) = all.into_iter().find(|(other, _)| *other == step) else {
        return Ok(());
    };
    match checkpoint::read(&path) {
        Ok(of_step) => keep(&of_step),
        Err(CheckpointError::Damaged { .. }) => Ok(()),
        Err(error) => Err(Failure::failed(error)),
    }
}

/// Refuses to resume with other data, classes or batches.
fn refuse_other_data(saved: &RunState, before: &Config, plan: &Plan) -> Result<(), Failure> {
    if saved.data != plan.fingerprints() {
        let (was, is) = (before.run.seed, plan.config.run.seed);
        let hint = if was != is && plan.sets.val.part_of().is_some() {
            format!("run.seed was {was} and is now {is}; it chooses the validation images, so keep the old value")
        } else if before.data.val != plan.config.data.val {
            "data.val has changed: keep the old value".to_string()
        } else {
            "names, labels or sizes differ: restore the files".to_string()
        };
        return Err(Failure::Usage(format!(
            "the data sets have changed since the run began; {hint}, or start a new run with --set run.out=…"
        )));
    }
    if saved.classes != plan.sets.train.classes() {
        return Err(Failure::Usage(
            "the classes of the training set differ from those of the checkpoint; start a new run with --set run.out=…"
                .to_string(),
        ));
    }
    let now = &plan.config;
    let counted = [
        ("staging.batch", before.staging.batch.get(), now.staging.batch.get()),
        ("data.ranks", before.data.ranks as usize, now.data.ranks as usize),
    ];
    if let Some((key, was, is)) = counted.into_iter().find(|(_, was, is)| was != is) {
        return Err(Failure::Usage(format!(
            "{key} was {was} and is now {is}: it cannot change during a run, because positions are counted in batches of all \
             ranks; start a new run with --set run.out=…"
        )));
    }
    Ok(())
}

/// Refuses to resume with other data, or with changed settings that alter results, unless the changes were asked for.
/// Returns whether there are any.
fn compare(saved: &RunState, plan: &Plan, args: &ConfigArgs) -> Result<bool, Failure> {
    let before = Config::parse("the checkpoint's configuration", &saved.config, &[]).map_err(Failure::failed)?;
    refuse_other_data(saved, &before, plan)?;
    let [was, is] = [&before.compute, &plan.config.compute].map(order_of_sums);
    let same_sums = was.is_some() && was == is;
    let (before, now) = (before.flat(), plan.config.flat());
    let value = |flat: &[(String, String)], key: &str| {
        flat.iter()
            .find(|(name, _)| name == key)
            .map_or("absent".to_string(), |(_, value)| value.clone())
    };
    let mut keys: Vec<&String> = before.iter().chain(&now).map(|(key, _)| key).collect();
    keys.sort_unstable();
    keys.dedup();
    let is_free = |key: &str| {
        (same_sums && DEVICES.contains(&key))
            || FREE
                .iter()
                .any(|free| key == *free || (free.ends_with('.') && key.starts_with(free)))
    };
    let altered: Vec<&String> = keys
        .into_iter()
        .filter(|key| value(&before, key) != value(&now, key) && !is_free(key))
        .collect();
    let refused: Vec<String> = altered
        .iter()
        .filter(|key| !was_asked_for(key, args))
        .map(|key| format!("{key} was {} and is now {}", value(&before, key), value(&now, key)))
        .collect();
    if refused.is_empty() {
        return Ok(altered.iter().any(|key| !DEVICES.contains(&key.as_str())));
    }
    Err(Failure::Usage(format!(
        "these keys affect the results and have changed since the run began; to change them anyway, pass them with --set:\n{}",
        refused.join("\n")
    )))
}

/// The kind of device, if sums over the batch have the order of all devices of that kind: a CPU's are the sums of two
/// halves, and so are those of two CPUs with half of the batch each.
fn order_of_sums(compute: &Compute) -> Option<Kind> {
    match compute.devices.names()?.as_slice() {
        [only] => Some(only.kind()),
        [first, _] if compute.parallel == Parallel::Data => Some(first.kind()),
        _ => None,
    }
}

/// Whether `--set` names the key or a part of it.
fn was_asked_for(key: &str, args: &ConfigArgs) -> bool {
    args.sets.iter().filter_map(|set| set.split_once('=')).any(|(name, _)| {
        let name = name.trim();
        name == key || name.starts_with(&format!("{key}."))
    })
}
