//! Times steps, and measures the processor's peak beside them.

use std::time::{Duration, Instant};

use super::{ComputeArgs, dump};
use crate::cli::Failure;
use crate::config::Config;
use crate::config::solver::{Schedule, Solver};
use crate::devices::cpu::Threads;
use crate::memory::zeroed;
use crate::model::solver::{Progress, Rates};
use crate::model::{Lap, Targets};
use crate::ops::peak;
use crate::plan::ModelPlan;
use crate::rng::{Philox, Purpose};

/// The number of bursts that measure the peak before each step, and their length. They are short enough for some to fall
/// between the time slices of other programs.
const BURSTS: usize = 16;
const BURST: Duration = Duration::from_millis(3);

/// Images of one task, in floats.
const PART: usize = 64 * 1024;

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
    /// Floating-point operations per second in the fastest burst.
    pub(super) peak: f64,
}

/// Trains on one batch, first for the warm-up and then for the timed steps. `told` is called after each.
pub(super) fn measure(
    config: &Config,
    plan: &ModelPlan,
    args: &ComputeArgs,
    mut told: impl FnMut(u32, f64),
) -> Result<Measured, Failure> {
    let (seed, batch) = (config.run.seed, config.staging.batch.get());
    let threads = Threads::new("bench", plan.threads).map_err(Failure::failed)?;
    let mut device = plan.build_alone(config, batch).map_err(Failure::plan)?;
    let labels = labels(seed, batch, plan.classes);
    let mut images = zeroed("images", batch * plan.spec.input.len()).map_err(Failure::failed)?;
    fill(&threads, seed, &mut images);
    let weights = plan.initial_weights(config).map_err(Failure::plan)?;
    device.load(&weights).map_err(Failure::failed)?;
    if let Some(path) = &args.dump {
        dump::write(path, plan.spec.input, &images, &labels, &weights)?;
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
    let (mut steps, mut losses, mut fastest) = (Vec::new(), Vec::new(), 0.0f64);
    let mut bursts = || (0..BURSTS).for_each(|_| fastest = fastest.max(peak::burst(&threads, BURST)));
    for step in 0..args.warmup.saturating_add(args.steps) {
        let timed = step >= args.warmup;
        if timed {
            bursts();
        }
        // As in a run, the images are copied to the device before each step. This is not timed.
        let rows = bytemuck::cast_slice(&images);
        device.copy_rows(rows, batch).map_err(Failure::failed)?;
        let start = Instant::now();
        let loss = device
            .train(u64::from(step), &targets, rates)
            .map_err(Failure::failed)?;
        let (time, laps) = (start.elapsed(), device.take_laps());
        losses.push(loss.mean());
        if timed {
            told(step + 1 - args.warmup, batch as f64 / time.as_secs_f64());
            steps.push(Step { time, laps });
        }
    }
    bursts();
    let count = steps.len();
    steps.sort_by_key(|step| step.time);
    Ok(Measured {
        median: steps.swap_remove((count - 1) / 2),
        steps: count,
        losses,
        peak: fastest,
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

/// Uniform values with mean 0 and variance 1, the same for any number of threads.
fn fill(threads: &Threads, seed: u64, images: &mut [f32]) {
    let width = 12f32.sqrt();
    threads.each_part(images, PART, |part, values| {
        let mut random = Philox::new(seed, Purpose::Benchmark, 0, part as u32);
        values
            .iter_mut()
            .for_each(|value| *value = (random.uniform() - 0.5) * width);
    });
}

fn labels(seed: u64, batch: usize, classes: usize) -> Vec<u32> {
    let mut random = Philox::new(seed, Purpose::Benchmark, 1, 0);
    (0..batch).map(|_| random.below(classes as u32)).collect()
}
