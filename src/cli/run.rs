//! `pipeline run`: trains a network, or resumes training.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;

use super::folder::{self, RunFolder};
use super::resume::{self, Resumed};
use super::summary;
use super::{ConfigArgs, FAILED, Failure, INTERNAL, advice, heading, notes, program, quoted, statistics};
use crate::config::Config;
use crate::control::{self, Ending, Watch};
use crate::dataset::lies_in;
use crate::durable;
use crate::flow::{Exit, Stop};
use crate::model::devices::NoGpu;
use crate::model::{Device, checkpoint};
use crate::observe::digest::Digest;
use crate::observe::metrics::Metrics;
use crate::observe::progress::Progress;
use crate::observe::recorder::{self, Recorder};
use crate::observe::terminal::tell;
use crate::observe::verdicts::{LateMeters, Verdicts};
use crate::plan::{Plan, SHARE};
use crate::text;
use crate::topology::{self, Beginning};

pub(super) const EXAMPLES: &str = "Examples:
  pipeline run datasets/fashion-mnist/train.toml
  pipeline run train.toml --set solver.lr=0.02 --set run.out=runs/lr-0.02
  pipeline run train.toml --resume                    resumes from the newest intact checkpoint
  pipeline run train.toml --resume --set run.epochs=40";

/// How long a GPU's kernels may take to load without a word about it.
const LONG: Duration = Duration::from_secs(3);

#[derive(Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Resumes from the newest intact checkpoint, or starts a new run if nothing was saved
    #[arg(long)]
    resume: bool,
}

pub(super) fn main(args: &RunArgs, quiet: bool) -> Result<(), Failure> {
    let plan = plan(args, quiet)?;
    let folder = lock(args, &plan)?;
    let resumed = if args.resume {
        resume::resume(&folder, &plan, &args.config)?
    } else {
        None
    };
    let mut from = match resumed {
        Some(resumed) if resumed.is_complete(&plan) => {
            // The previous process may have been killed before it removed old checkpoints and wrote the report.
            let best = resumed.state.best.map(|best| best.step);
            checkpoint::prune(&folder.checkpoints(), plan.config.checkpoint.keep.get(), best)
                .map_err(Failure::failed)?;
            return summary::finish(&folder, &plan, true);
        }
        Some(resumed) => resumed,
        None => {
            if args.resume && !quiet {
                tell!(
                    "nothing to resume in {}: starting from scratch",
                    text::path(folder.path())
                );
            }
            Resumed::fresh(&folder, &plan)?
        }
    };
    if from.state.step > 0 && !quiet {
        tell!("resuming after step {}", from.state.step);
        if let Some(advice) = advice::of_another_length(&from.state, &plan) {
            tell!("{advice}");
        }
    }
    let devices = build(&plan, quiet)?;
    from.statistics = statistics::obtain(&plan, from.statistics, quiet)?;
    from.state.config = plan.config.to_toml();
    from.state.finished = false;
    durable::replace(&folder.config(), from.state.config.as_bytes())
        .map_err(|error| Failure::Failed(format!("{}: {error}", text::path(&folder.config()))))?;
    train(args, &plan, &folder, devices, from, quiet)
}

/// Builds the devices. Tells what took long.
fn build(plan: &Plan, quiet: bool) -> Result<Vec<Box<dyn Device>>, Failure> {
    let start = Instant::now();
    let devices = plan.model.build(&plan.config).map_err(Failure::plan)?;
    let took = start.elapsed();
    if plan.model.gpu_memory().is_some() && took > LONG && !quiet {
        tell!(
            "the driver has compiled the kernels for this GPU, in {:.0} s; it keeps them for the next time",
            took.as_secs_f64()
        );
    }
    Ok(devices)
}

/// The plan of the run. Tells what it will be, and what looks wrong.
fn plan(args: &RunArgs, quiet: bool) -> Result<Plan, Failure> {
    let mut config = args.config.read()?;
    if args.resume {
        follow_the_config(&mut config, args, quiet)?;
        resume::keep_devices(&mut config)?;
    }
    // Checked before the plan is made, to fail early, and again under the lock, where the result is reliable.
    refuse_a_second_run(args, &config.run.out)?;
    let plan = Plan::new(config).map_err(Failure::usage)?;
    refuse_inside_data(&plan)?;
    notes::of_data("data.train", &plan.sets.train, quiet);
    if plan.itinerary.val_samples > 0 {
        notes::of_data("data.val", &plan.sets.val, quiet);
    }
    warn_of_memory(&plan);
    if let Some(NoGpu::Unusable(why)) = &plan.model.no_gpu {
        tell!("warning: training on the CPU: {}", text::plain(why));
    }
    if !quiet {
        heading::print(&plan);
        plan.warnings().iter().for_each(|warning| tell!("warning: {warning}"));
    }
    Ok(plan)
}

/// Locks the folder of the run, which must not hold anything of another.
fn lock(args: &RunArgs, plan: &Plan) -> Result<RunFolder, Failure> {
    let out = &plan.config.run.out;
    let folder = RunFolder::lock(out)?;
    refuse_a_second_run(args, out)?;
    match folder.traces()?.filter(|_| !args.resume) {
        None => Ok(folder),
        Some(what) => Err(Failure::Usage(format!(
            "{} contains the remains of a run ({what}); remove the folder, or choose another with --set run.out=…",
            text::path(out)
        ))),
    }
}

/// Trains to the end, or until it is stopped, and tells the result.
fn train(
    args: &RunArgs,
    plan: &Plan,
    folder: &RunFolder,
    devices: Vec<Box<dyn Device>>,
    from: Resumed,
    quiet: bool,
) -> Result<(), Failure> {
    let meters = LateMeters::default();
    let lines = plan.config.observe.line_every_steps.get() as u64;
    let recorder = Recorder {
        metrics: Metrics::open(&folder.metrics()).map_err(Failure::failed)?,
        progress: Progress::new(&plan.itinerary, from.state.step, lines, quiet),
        verdicts: Verdicts::new(Arc::clone(&meters), plan.itinerary.clone()),
        page: folder.page(&plan.config, Digest::read(&folder.metrics()).map_err(Failure::failed)?),
        elapsed_s: from.elapsed_s,
        step: from.state.step,
    };
    let beginning = Beginning {
        devices,
        weights: from.weights,
        state: from.state,
        expected: from.expected,
        statistics: from.statistics,
        every_steps: plan.config.checkpoint.every_steps.get() as u64,
    };
    let stop = Stop::default();
    let listen = move |reports| recorder::run(recorder, reports);
    let topology = topology::training(plan, beginning, &stop, listen).map_err(Failure::plan)?;
    // Nothing else sets them.
    let _ = meters.set(Arc::clone(&topology.meters));
    let end = control::supervise(topology, &stop, watch(&plan.config, quiet));
    let ended = ended(end, folder, plan, args);
    let told = summary::finish(folder, plan, ended.is_ok());
    // The cause of the ending comes first, before its effect on the report (such as a full disk).
    ended.and(told)
}

/// Uses the folder of the configuration as the run's if it is a run's own configuration: the run may have been moved.
fn follow_the_config(config: &mut Config, args: &RunArgs, quiet: bool) -> Result<(), Failure> {
    let is_named = args
        .config
        .sets
        .iter()
        .any(|set| set.trim_start().starts_with("run.out"));
    let Some(folder) = folder::of_config(&args.config.config).map_err(Failure::failed)? else {
        return Ok(());
    };
    if is_named || folder::is_same(&folder, &config.run.out) {
        return Ok(());
    }
    if !quiet {
        let (here, there) = (text::path(&folder), text::path(&config.run.out));
        tell!("resuming the run in {here}, where its configuration is, although run.out is {there}");
    }
    config.run.out = folder;
    Ok(())
}

/// Refuses to start a new run in the folder of another.
fn refuse_a_second_run(args: &RunArgs, out: &Path) -> Result<(), Failure> {
    if args.resume {
        return Ok(());
    }
    match folder::newest_step(out).map_err(Failure::failed)? {
        None => Ok(()),
        Some(step) => Err(Failure::Usage(format!(
            "{} already contains a run, at step {step}; resume it with `{}`, or choose another folder with --set run.out=…",
            text::path(out),
            resume_command(args, &[])
        ))),
    }
}

/// Refuses a run's folder inside a data set, where its files would be taken for samples the next time.
fn refuse_inside_data(plan: &Plan) -> Result<(), Failure> {
    let out = &plan.config.run.out;
    let sets = [("data.train", &plan.sets.train), ("data.val", &plan.sets.val)];
    match sets.iter().find(|(_, set)| lies_in(out, Path::new(set.location()))) {
        None => Ok(()),
        Some((key, set)) => Err(Failure::Usage(format!(
            "run.out: {} is inside {key}, {}: the run's files would be taken for samples; choose a folder outside of it with --set run.out=…",
            text::path(out),
            text::plain(set.location())
        ))),
    }
}

fn warn_of_memory(plan: &Plan) {
    let needed = plan.memory.needed(plan.crews());
    if let Some(limit) = plan.memory.limit.bytes()
        && needed > limit
    {
        tracing::warn!(
            "the run needs {needed} of memory, more than {limit}, which is {SHARE} % of what is available; `check` lists what needs \
             it"
        );
    }
}

/// The result of a flow, with what to do next.
fn ended(end: Ending, folder: &RunFolder, plan: &Plan, args: &RunArgs) -> Result<(), Failure> {
    let again = resume_command(args, &[]);
    match end {
        // Its cause was reported when it was found. (A lost upstream stage is not a cause: it is reported below.)
        Ending::Faulted { exit, .. } if exit.is_cause() => Err(Failure::Told {
            code: if matches!(exit, Exit::Panicked(_)) {
                INTERNAL
            } else {
                FAILED
            },
            hint: match folder::newest_step(folder.path()) {
                Ok(Some(_)) if advice::has_diverged(&exit) => {
                    advice::after_divergence(plan, |but| resume_command(args, but))
                }
                Ok(Some(step)) => format!("the newest checkpoint is from step {step}; resume with `{again}`"),
                _ => "nothing was saved".to_string(),
            },
        }),
        end => ending(end, || format!("saved; resume with `{again}`")),
    }
}

/// The command that resumes the run, without the settings of the keys `but`.
fn resume_command(args: &RunArgs, but: &[&str]) -> String {
    let config = quoted(&args.config.config.display().to_string());
    let mut command = format!("{} run {config} --resume", program());
    let stays = |set: &&String| set.split('=').next().is_none_or(|key| !but.contains(&key.trim()));
    for set in args.config.sets.iter().filter(stays) {
        command += &format!(" --set {}", quoted(set));
    }
    command
}

fn watch(config: &Config, quiet: bool) -> Watch {
    Watch {
        stall_after: Duration::from_secs(u64::from(config.run.stall_after_s)),
        on_fault: Box::new(|stage, exit| tell!("\nerror: {stage}: {exit}")),
        on_stop: Box::new(move || {
            if !quiet {
                tell!("\nstopping after this step and saving; press Ctrl-C again to quit immediately");
            }
        }),
    }
}

/// Converts the ending of a flow to a result.
pub(super) fn ending(ending: Ending, how_to_go_on: impl Fn() -> String) -> Result<(), Failure> {
    match ending {
        Ending::Finished => Ok(()),
        Ending::Stopped => Err(Failure::Stopped(how_to_go_on())),
        Ending::Faulted {
            stage,
            exit: exit @ Exit::Panicked(_),
        } => Err(Failure::Internal(format!("{stage}: {exit}; this is a bug in pipeline"))),
        Ending::Faulted { stage, exit } => Err(Failure::Failed(format!("{stage}: {exit}"))),
        Ending::Stalled { stage } => {
            // Its threads cannot be joined, so the process must exit and leave the checkpoints as they are.
            tell!("error: {stage} has work but has made no progress for run.stall_after_s seconds");
            std::process::exit(1);
        }
        Ending::ControlLost => Err(Failure::Internal("the control plane failed".to_string())),
    }
}
