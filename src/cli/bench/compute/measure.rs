//! Times steps, and measures the processor's peak beside them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::images::Images;
use super::{ComputeArgs, dump};
use crate::cli::Failure;
use crate::config::Config;
use crate::config::solver::{Schedule, Solver};
use crate::flow::Slot;
use crate::model::solver::{Progress, Rates};
use crate::model::{Device, Lap, Peak, Running, Targets};
use crate::plan::ModelPlan;
use crate::rng::{Philox, Purpose};

/// The number of bursts that measure the peak before each step.
const BURSTS: usize = 16;

/// One timed step.
pub(super) struct Step {
    pub(super) time: Duration,
    pub(super) laps: Vec<Lap>,
}

/// The result of a measurement.
pub(super) struct Measured {
    /// The step with the median time; of an even number, the faster of the middle two.
    pub(super) median: Step,
    /// The number of timed steps.
    pub(super) steps: usize,
    /// The mean loss of every step, including the warm-up.
    pub(super) losses: Vec<f64>,
    /// The device's best in any burst.
    pub(super) peak: Peak,
}

/// Trains on one batch, first for the warm-up and then for the timed steps. `told` is called after each.
pub(super) fn measure(
    config: &Config,
    plan: &ModelPlan,
    args: &ComputeArgs,
    mut told: impl FnMut(u32, f64),
) -> Result<Measured, Failure> {
    let (seed, batch) = (config.run.seed, config.staging.batch.get());
    let mut device = plan.build_alone(config, batch).map_err(Failure::plan)?;
    let labels = labels(seed, batch, plan.classes);
    let images = Images::random(seed, batch, plan.spec.input.height);
    let writer = plan.row_writer();
    let write = |image: usize, row: &mut [u8]| images.write(&*writer, image, row);
    let mut slot = Slot::filled(batch, writer.row_bytes(), write).map_err(Failure::failed)?;
    device.pin(&mut slot).map_err(Failure::failed)?;
    let slot = Arc::new(slot);
    let weights = plan.initial_weights(config).map_err(Failure::plan)?;
    device.load(&weights).map_err(Failure::failed)?;
    if let Some(path) = &args.dump {
        dump::write(path, plan.spec.input, &images.floats(), &labels, &weights)?;
    }
    drop(weights);
    let targets = Targets::new(labels.iter().map(|label| (*label, true)));
    let mut rates = Rates::new(&constant(&config.solver), &plan.spec).map_err(Failure::usage)?;
    let rates = rates.at(
        Progress {
            done: 0,
            steps_per_epoch: 1,
            total_steps: 1,
        },
        1.0,
    );
    device.time_passes();
    let (mut steps, mut losses, mut peak) = (Vec::new(), Vec::new(), Peak::default());
    for step in 0..args.warmup.saturating_add(args.steps) {
        let timed = step >= args.warmup;
        if timed {
            look_for_peak(&mut *device, &mut peak)?;
        }
        // As in a run, the images are copied to the device before each step. This is not timed.
        let copied = device.copy_rows(&slot, batch).and_then(Running::wait);
        copied.map_err(Failure::failed)?;
        let start = Instant::now();
        let loss = device
            .train(u64::from(step), &targets, rates)
            .and_then(Running::wait)
            .map_err(Failure::failed)?;
        let time = start.elapsed();
        let laps = device.take_laps().map_err(Failure::failed)?;
        losses.push(loss.mean());
        if timed {
            told(step + 1 - args.warmup, batch as f64 / time.as_secs_f64());
            steps.push(Step { time, laps });
        }
    }
    look_for_peak(&mut *device, &mut peak)?;
    let count = steps.len();
    steps.sort_by_key(|step| step.time);
    Ok(Measured {
        median: steps.swap_remove((count - 1) / 2),
        steps: count,
        losses,
        peak,
    })
}

/// The solver with its full rate in every step.
fn constant(solver: &Solver) -> Solver {
    Solver {
        schedule: Schedule::Constant,
        warmup_epochs: 0.0,
        ..solver.clone()
    }
}

/// Raises `peak` to the device's best in some bursts.
fn look_for_peak(device: &mut dyn Device, peak: &mut Peak) -> Result<(), Failure> {
    for _ in 0..BURSTS {
        let now = device.peak().map_err(Failure::failed)?;
        peak.flops = peak.flops.max(now.flops);
        let bytes = peak.bytes.into_iter().chain(now.bytes);
        peak.bytes = bytes.reduce(f64::max);
    }
    Ok(())
}

fn labels(seed: u64, batch: usize, classes: usize) -> Vec<u32> {
    let mut random = Philox::new(seed, Purpose::Benchmark, 1, 0);
    (0..batch).map(|_| random.below(classes as u32)).collect()
}
