//! `pipeline run`: trains, or goes on training.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::folder::{self, RunFolder};
use super::resume::{self, Resumed};
use super::{ConfigArgs, FAILED, Failure, INTERNAL, notes, program, quoted, statistics};
use crate::config::Config;
use crate::control::{self, Ending, Watch};
use crate::flow::{Exit, Stop};
use crate::model::checkpoint;
use crate::observe::metrics::{self, Metrics};
use crate::observe::progress::Progress;
use crate::observe::recorder::{self, Recorder};
use crate::observe::report::{self, Page};
use crate::observe::verdicts::{LateMeters, Verdicts};
use crate::plan::{Plan, SHARE};
use crate::stages::compute::RunState;
use crate::topology::{self, Beginning};

pub(super) const EXAMPLES: &str = "Examples:
  pipeline run datasets/fashion-mnist/train.toml
  pipeline run train.toml --set solver.lr=0.02 --set run.out=runs/lr-0.02
  pipeline run train.toml --resume                    goes on from the newest good checkpoint
  pipeline run train.toml --resume --set run.epochs=40";

#[derive(Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Goes on from the newest good checkpoint, or starts where there is none
    #[arg(long)]
    resume: bool,
}

pub(super) fn main(args: &RunArgs, quiet: bool) -> Result<(), Failure> {
    let config = args.config.read()?;
    let out = config.run.out.clone();
    let again = resume_command(args);
    if !args.resume
        && let Some(step) = folder::newest_step(&out)
    {
        return Err(Failure::Usage(format!(
            "{} holds a run, at step {step}; go on with it by `{again}`, or name another folder with --set run.out=…",
            out.display()
        )));
    }
    let plan = Plan::new(config).map_err(Failure::usage)?;
    notes::of_data("data.train", &plan.sets.train, quiet);
    if plan.itinerary.val_samples > 0 {
        notes::of_data("data.val", &plan.sets.val, quiet);
    }
    if let Some(limit) = plan.room.limit.bytes()
        && plan.room.needed(plan.crews()) > limit
    {
        tracing::warn!(
            "the run takes more than {SHARE} % of the memory that is available; `check` shows what takes how much"
        );
    }
    let folder = RunFolder::lock(&out)?;
    let mut networks = plan.model.build(&plan.config).map_err(Failure::usage)?;
    let resumed = if args.resume {
        resume::resume(&folder, &plan, &args.config, &mut networks)?
    } else {
        None
    };
    let Resumed {
        state,
        expected,
        elapsed_s,
        statistics,
    } = match resumed {
        Some(resumed) if resumed.state.finished && resumed.state.step >= plan.itinerary.steps => {
            let events = metrics::read(&folder.metrics()).map_err(Failure::failed)?;
            summary(&folder, &out, &resumed.state, &plan, &events);
            return Ok(());
        }
        Some(resumed) => resumed,
        None => Resumed::fresh(&folder, &plan)?,
    };
    if state.step > 0 && !quiet {
        eprintln!("resuming after step {}", state.step);
    }
    let statistics = statistics::obtain(&plan, statistics, quiet)?;
    std::fs::write(folder.config(), plan.config.to_toml())
        .map_err(|error| Failure::Failed(format!("{}: {error}", folder.config().display())))?;
    let line_every = plan.config.observe.line_every_steps.get() as u64;
    let meters = LateMeters::default();
    let recorder = Recorder {
        metrics: Metrics::open(&folder.metrics()).map_err(Failure::failed)?,
        progress: Progress::new(&plan.itinerary, state.step, line_every, quiet),
        verdicts: Verdicts::new(Arc::clone(&meters), plan.itinerary.clone()),
        elapsed_s,
        step: state.step,
    };
    let every_steps = plan.config.checkpoint.every_steps.get() as u64;
    let beginning = Beginning {
        networks,
        state: RunState {
            finished: false,
            config: plan.config.to_toml(),
            ..state
        },
        expected,
        statistics,
        every_steps,
    };
    let stop = Stop::default();
    let listen = move |reports| recorder::run(recorder, &reports);
    let topology = topology::training(&plan, beginning, &stop, listen).map_err(Failure::usage)?;
    // Nobody else sets them.
    let _ = meters.set(Arc::clone(&topology.meters));
    let end = control::supervise(topology, &stop, watch(&plan.config, quiet));
    let ended = match end {
        // Its cause was told when it was found. (A mere loss is no cause: that is told below.)
        Ending::Faulted { exit, .. } if exit.is_cause() => Err(Failure::Told {
            code: if matches!(exit, Exit::Panicked(_)) {
                INTERNAL
            } else {
                FAILED
            },
            hint: format!("the last checkpoint is intact; go on with `{again}`"),
        }),
        end => ending(end, || format!("saved; go on with `{again}`")),
    };
    let told = finish(&folder, &out, &plan, ended.is_ok());
    // The cause of the ending comes before whatever it did to the report: a full disk, say.
    ended.and(told)
}

/// What the user types to go on.
fn resume_command(args: &RunArgs) -> String {
    let config = quoted(&args.config.config.display().to_string());
    let mut command = format!("{} run {config} --resume", program());
    for set in &args.config.sets {
        command += &format!(" --set {}", quoted(set));
    }
    command
}

fn watch(config: &Config, quiet: bool) -> Watch {
    Watch {
        stall_after: Duration::from_secs(u64::from(config.run.stall_after_s)),
        on_fault: Box::new(|stage, exit| eprintln!("\nerror: {stage}: {exit}")),
        on_stop: Box::new(move || {
            if !quiet {
                eprintln!("\nstopping after this step and saving; once more to leave at once");
            }
        }),
    }
}

/// Turns the way a flow ended into a result.
pub(super) fn ending(ending: Ending, how_to_go_on: impl Fn() -> String) -> Result<(), Failure> {
    match ending {
        Ending::Finished => Ok(()),
        Ending::Stopped => Err(Failure::Stopped(how_to_go_on())),
        Ending::Faulted {
            stage,
            exit: exit @ Exit::Panicked(_),
        } => Err(Failure::Internal(format!(
            "{stage}: {exit}; this is a fault of pipeline itself"
        ))),
        Ending::Faulted { stage, exit } => Err(Failure::Failed(format!("{stage}: {exit}"))),
        Ending::Stalled { stage } => {
            // Its threads cannot be joined: the process has to go, with the checkpoints as they are.
            eprintln!(
                "error: {stage} has work and has not moved for run.stall_after_s seconds; the last checkpoint is intact"
            );
            std::process::exit(1);
        }
        Ending::ControlLost => Err(Failure::Internal("the control plane failed".to_string())),
    }
}

/// Writes the report and tells where everything lies.
fn finish(folder: &RunFolder, out: &Path, plan: &Plan, finished: bool) -> Result<(), Failure> {
    let events = metrics::read(&folder.metrics()).map_err(Failure::failed)?;
    let ending = if finished {
        "The run is complete."
    } else {
        "The run has not reached its end; it can be resumed."
    };
    let config = plan.config.to_toml();
    let page = Page {
        name: &out.display().to_string(),
        ending,
        events: &events,
        config: &config,
    };
    report::write(&folder.report(), &page)
        .map_err(|error| Failure::Failed(format!("{}: {error}", folder.report().display())))?;
    if !finished {
        return Ok(());
    }
    let Some((_, newest)) = checkpoint::list(&folder.checkpoints()).pop() else {
        return Err(Failure::Failed(format!(
            "{}: no checkpoint was written",
            folder.checkpoints().display()
        )));
    };
    let state = checkpoint::read_state(&newest).map_err(Failure::failed)?;
    let state = serde_json::from_value(state).map_err(Failure::failed)?;
    folder.forget_replay();
    summary(folder, out, &state, plan, &events);
    Ok(())
}

/// What held the run up, if the event says that.
fn verdict(event: &Value) -> Option<&str> {
    (event["event"] == "verdict").then(|| event["text"].as_str()).flatten()
}

/// The last lines of a run.
fn summary(folder: &RunFolder, out: &Path, state: &RunState, plan: &Plan, events: &[Value]) {
    let program = program();
    let out = quoted(&out.display().to_string());
    let checkpoint = folder.checkpoints().join(checkpoint::file_name(state.step));
    println!("done: {} steps", state.step);
    if let Some(newest) = state.newest {
        println!(
            "top-1 error  {:.4}   top-5 error  {:.4}",
            newest.top1_error, newest.top5_error
        );
    }
    if let Some(best) = state
        .best
        .filter(|best| Some(best.step) != state.newest.map(|newest| newest.step))
    {
        println!("best top-1 error {:.4} at step {}", best.top1_error, best.step);
    }
    if let Some(text) = events.iter().rev().find_map(|event| verdict(event)) {
        println!("verdict      {text}");
    }
    println!("checkpoint   {}", checkpoint.display());
    println!("report       {}", folder.report().display());
    println!("next         {program} eval {out} --crops 10");
    println!("             {program} predict {out} IMAGE.jpg");
    let more = match plan.config.run.steps {
        Some(steps) => format!("run.steps={}", steps + steps.div_ceil(2)),
        None => format!(
            "run.epochs={}",
            plan.config.run.epochs + plan.config.run.epochs.div_ceil(2)
        ),
    };
    let config = quoted(&folder.config().display().to_string());
    println!("             {program} run {config} --resume --set {more}");
}
