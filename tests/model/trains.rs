//! Every preset learns as it comes: with the scale of pixels and the rate that are its defaults.

use pipeline::config::Config;
use pipeline::ops::sgd::Rate;
use pipeline::plan::{ModelPlan, scale};
use pipeline::rng::{Philox, Purpose};

use crate::net::Net;
use crate::networks::job;

/// Classes of the images: as many as the network has, or fewer.
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

/// Trains a preset for `steps` steps on crops of `side` pixels, with every key left out but those in `sets`; the loss ends below
/// what whoever knows nothing of `classes` classes has.
fn learns(preset: &str, sets: &[&str], side: usize, classes: usize, steps: u32) {
    let own = [
        format!("model.preset={preset}"),
        format!("augment.crop={side}"),
        "data.train=x".to_owned(),
    ];
    let keys: Vec<String> = own.into_iter().chain(sets.iter().map(ToString::to_string)).collect();
    let mut config = Config::parse("train.toml", "", &keys).unwrap();
    scale::fill_in(&mut config);
    let plan = ModelPlan::new(&config, classes).unwrap();
    let mut net = Net::new(&job(&plan.spec, BATCH, 2), 1);
    let rate = Rate {
        lr: config.solver.lr,
        momentum: config.solver.momentum,
        weight_decay: config.solver.weight_decay,
        frozen: false,
    };
    let std = config.augment.std.unwrap_or([1.0; 3])[0];
    let step = |step| {
        let labels: Vec<u32> = (0..BATCH as u32).map(|row| row % CLASSES as u32).collect();
        let rows = labels.iter().zip(step * BATCH as u32..);
        let pixels = rows.flat_map(|(label, number)| photograph(side, *label as usize, number));
        let x: Vec<f32> = pixels.map(|pixel| (pixel - 128.0) / std).collect();
        net.train(&x, (&labels, &[1.0; BATCH]), step, rate).mean()
    };
    let losses: Vec<f64> = (0..steps).map(step).collect();
    let what = format!("{preset} {sets:?} at {side} pixels: {losses:.2?}");
    assert!(losses.iter().all(|loss| loss.is_finite()), "{what}");
    let end = losses[losses.len() - 8..].iter().sum::<f64>() / 8.0;
    assert!(end < (classes as f64).ln() - 0.1, "{what}");
}

/// Of the paper's thousand classes, four occur: to learn which is the first thing that it learns.
#[test]
fn alexnet() {
    learns("alexnet", &[], 55, 1000, 16);
}

#[test]
fn alexnet_from_the_distribution_of_he() {
    learns("alexnet", &["model.init=he"], 55, 1000, 16);
}

#[test]
fn alexnet_one_tower() {
    learns("alexnet-one-tower", &[], 63, 1000, 16);
}

#[test]
fn alexnet_medium() {
    learns("alexnet-medium", &[], 48, CLASSES, 40);
}

#[test]
fn alexnet_small() {
    learns("alexnet-small", &[], 28, CLASSES, 40);
    learns("alexnet-small", &[], 40, CLASSES, 40);
}

#[test]
fn cifar10_quick() {
    learns("cifar10-quick", &[], 28, CLASSES, 40);
    learns("cifar10-quick-tanh", &[], 28, CLASSES, 40);
}
