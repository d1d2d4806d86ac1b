//! Every preset learns as it comes: with the scale of pixels and the rate that are its defaults.

use pipeline::config::Config;
use pipeline::config::compute::Method;
use pipeline::config::model::Layer;
use pipeline::model::presets::{self, Overrides};
use pipeline::model::{Network, Pass};
use pipeline::ops::Shape;
use pipeline::ops::sgd::Rate;
use pipeline::plan::scale;
use pipeline::rng::{Philox, Purpose};

use crate::given::threads;

const CLASSES: usize = 4;
const BATCH: usize = 16;

/// A photograph of sorts, on 0..255: blotches of some sizes in all colours, each size as strong as the other, and a slant of
/// the light that the class names. Its pixels are about 65 from their mean.
fn photograph(side: usize, label: usize, number: u32) -> Vec<f32> {
    let mut planes = Vec::new();
    let angle = std::f32::consts::FRAC_PI_2 * label as f32;
    for channel in 0..3 {
        let mut random = Philox::new(9, Purpose::Benchmark, number, channel);
        let mut plane = vec![128.0; side * side];
        for size in [1, 4, 16] {
            let across = side.div_ceil(size);
            let blotches: Vec<f32> = (0..across * across).map(|_| 110.0 * (random.uniform() - 0.5)).collect();
            for (at, pixel) in plane.iter_mut().enumerate() {
                *pixel += blotches[at / side / size * across + at % side / size];
            }
        }
        for (at, pixel) in plane.iter_mut().enumerate() {
            let place = |at: usize| 2.0 * at as f32 / side as f32 - 1.0;
            *pixel += 60.0 * (angle.cos() * place(at % side) + angle.sin() * place(at / side));
            *pixel = pixel.clamp(0.0, 255.0);
        }
        planes.extend(plane);
    }
    planes
}

/// Losses of the first `steps` steps of a preset on crops of `side` pixels, with every key left out but those in `sets`.
fn losses(preset: &str, sets: &[&str], side: usize, steps: u32) -> Vec<f64> {
    let sets: Vec<String> = [&format!("model.preset={preset}"), "data.train=x"]
        .into_iter()
        .chain(sets.iter().copied())
        .map(str::to_string)
        .collect();
    let mut config = Config::parse("train.toml", "", &sets).unwrap();
    scale::fill_in(&mut config);
    let overrides = Overrides {
        init: config.model.init,
        ..Overrides::default()
    };
    let layers: Vec<Layer> = presets::layers(preset, overrides).unwrap();
    let shape = Shape::new(3, side, side);
    let mut network = Network::new(&layers, shape, CLASSES, BATCH, Method::Auto, threads(2), 1).unwrap();
    let rate = Rate {
        lr: config.solver.lr,
        momentum: config.solver.momentum,
        weight_decay: config.solver.weight_decay,
        frozen: false,
    };
    let rates = vec![rate; network.parameters().len()];
    let std = config.augment.std.unwrap_or([1.0; 3])[0];
    let step = |step| {
        let labels: Vec<u32> = (0..BATCH as u32).map(|row| row % CLASSES as u32).collect();
        for (row, to) in network.input_mut().chunks_exact_mut(3 * side * side).enumerate() {
            let pixels = photograph(side, labels[row] as usize, step * BATCH as u32 + row as u32);
            to.iter_mut()
                .zip(pixels)
                .for_each(|(to, pixel)| *to = (pixel - 128.0) / std);
        }
        network.forward(Pass::Train { seed: 1, step }, BATCH);
        let loss = network.loss(&labels, &[1.0; BATCH]).mean();
        network.backward();
        network.update(&rates);
        f64::from(loss)
    };
    (0..steps).map(step).collect()
}

/// The mean of the last eight.
fn end(losses: &[f64]) -> f64 {
    losses[losses.len() - 8..].iter().sum::<f64>() / 8.0
}

#[test]
fn every_preset_learns_with_its_own_defaults() {
    for (preset, sets, side, steps) in [
        ("alexnet", &[][..], 67, 60),
        ("alexnet", &["model.init=he"], 67, 40),
        ("alexnet-one-tower", &[], 67, 40),
        ("alexnet-medium", &[], 48, 40),
        ("alexnet-small", &[], 28, 40),
        ("alexnet-small", &[], 40, 40),
        ("cifar10-quick", &[], 28, 40),
        ("cifar10-quick-tanh", &[], 32, 40),
    ] {
        let start = std::time::Instant::now();
        let losses = losses(preset, sets, side, steps);
        eprintln!("{preset} {sets:?} {side} {:?} {losses:.2?}", start.elapsed());
        assert!(
            losses.iter().all(|loss| loss.is_finite()),
            "{preset} {sets:?} at {side} pixels: {losses:?}"
        );
        assert!(
            end(&losses) < (CLASSES as f64).ln() - 0.1,
            "{preset} {sets:?} at {side} pixels: {losses:?}"
        );
    }
}
