//! How fast two devices of one thread each are beside one of two threads, on the paper's network. For a machine with two cores
//! and no other work: `cargo test --release --test model speed -- --ignored --nocapture --test-threads=1`.

use std::time::Instant;

use pipeline::config::compute::Parallel;
use pipeline::model::presets::{self, Overrides};
use pipeline::model::{Device, Job, Spec, Targets};
use pipeline::ops::Shape;
use pipeline::rng::{Philox, Purpose};

use super::{RATE, copy, each, loaded};
use crate::net::weights;

/// Steps of one measurement.
const STEPS: u32 = 2;

/// Measurements of each; their median counts.
const ROUNDS: u32 = 7;

/// The paper's network on some devices.
struct Team {
    members: Vec<Box<dyn Device>>,
    images: Vec<f32>,
    batch: usize,
    parameters: usize,
}

impl Team {
    fn new(devices: usize, threads: usize, parallel: Parallel, (side, batch): (usize, usize)) -> Self {
        let layers = presets::layers("alexnet", Overrides::default()).unwrap();
        let spec = Spec::new(&layers, Shape::new(3, side, side), 1000).unwrap();
        let job = Job {
            seed: 4,
            threads,
            ..Job::new(&spec, batch)
        };
        let weights = weights(&job, 1);
        let mut random = Philox::new(9, Purpose::Init, 0, 1);
        let images = (0..batch * spec.input.len()).map(|_| 100.0 * random.uniform() - 50.0);
        Self {
            members: loaded(&job, devices, parallel, &weights),
            images: images.collect(),
            batch,
            parameters: weights.len(),
        }
    }

    /// Images a second.
    fn rate(&mut self, from: u32) -> f64 {
        let Self {
            members,
            images,
            batch,
            parameters,
        } = self;
        let (targets, rates) = (Targets::new((0..*batch).map(|_| (7, true))), vec![RATE; *parameters]);
        let start = Instant::now();
        each(members, |device| {
            for number in from..from + STEPS {
                copy(device, images, *batch);
                device
                    .train(u64::from(number), &targets, &rates)
                    .unwrap()
                    .wait()
                    .unwrap();
            }
        });
        f64::from(STEPS) * *batch as f64 / start.elapsed().as_secs_f64()
    }
}

/// Prints how fast one device of two threads is, and two of one thread in both modes.
fn compare(side: usize, batch: usize) {
    let what = format!("{side} pixels, batches of {batch}");
    let mut one = Team::new(1, 2, Parallel::Data, (side, batch));
    let mut several = [Parallel::Data, Parallel::Columns].map(|parallel| Team::new(2, 1, parallel, (side, batch)));
    let mut ratios = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        let one = one.rate(round * STEPS);
        let [data, columns] = several.each_mut().map(|team| team.rate(round * STEPS));
        println!("{what}: one {one:.1}, data parallel {data:.1}, columns {columns:.1} images/s");
        // The first touches all memory.
        if round > 0 {
            for (ratios, rate) in ratios.iter_mut().zip([data, columns]) {
                ratios.push(rate / one);
            }
        }
    }
    let [data, columns] = ratios.map(|mut ratios| {
        ratios.sort_by(f64::total_cmp);
        ratios[ratios.len() / 2]
    });
    println!("{what}: median ratios {data:.3} data parallel, {columns:.3} columns");
}

#[test]
#[ignore = "a measurement, which wants the machine for itself"]
fn the_papers_images() {
    compare(224, 128);
}

#[test]
#[ignore = "a measurement, which wants the machine for itself"]
fn small_images() {
    compare(112, 64);
}
