//! Several devices against one, step by step, each driven by a thread of its own as in a run.

mod columns;
mod speed;

use std::thread;

use pipeline::config::compute::{Method, Parallel};
use pipeline::config::devices::{DeviceName, Kind};
use pipeline::config::model::Layer;
use pipeline::model::presets::{self, Overrides};
use pipeline::model::{Device, Job, Parameter, Spec, Targets, devices};
use pipeline::ops::Shape;
use pipeline::ops::sgd::Rate;
use pipeline::rng::{Philox, Purpose};

use crate::net::{slot, weights};

pub const CLASSES: usize = 5;
pub const RATE: Rate = Rate {
    lr: 0.02,
    momentum: 0.9,
    weight_decay: 5e-4,
    frozen: false,
};

/// A run of a few steps: batches of `batch` rows, of which the last step has `tail`.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    pub layers: &'a [Layer],
    pub side: usize,
    pub batch: usize,
    pub tail: usize,
    pub lr: f32,
    pub method: Method,
}

/// What a device tells of a step: its loss, its rows that are present and those of them that are right.
pub type Told = (f64, u32, u32);

/// What a run came to: losses, and whole parameters.
pub type Came = (Vec<Told>, Vec<Parameter>);

impl Run<'_> {
    /// The images of a whole batch, and what they should come to.
    pub fn input(&self, step: u32) -> (Vec<f32>, Targets) {
        let rows = if step == 2 { self.tail } else { self.batch };
        let mut random = Philox::new(9, Purpose::Init, step, 1);
        let x = (0..rows * 3 * self.side * self.side)
            .map(|_| 2.0 * random.uniform() - 1.0)
            .collect();
        // Some images were refused.
        let targets = Targets::new((0..rows).map(|row| (random.below(CLASSES as u32), row % 7 != 5)));
        (x, targets)
    }

    pub fn spec(&self) -> Spec {
        Spec::new(self.layers, Shape::new(3, self.side, self.side), CLASSES).unwrap()
    }

    pub fn job<'s>(&self, spec: &'s Spec) -> Job<'s> {
        Job {
            seed: 4,
            method: self.method,
            threads: 2,
            ..Job::new(spec, self.batch)
        }
    }

    /// Three steps of one device; the last has the tail of an epoch.
    fn steps(&self, device: &mut dyn Device, parameters: usize) -> Vec<Told> {
        let rates = vec![Rate { lr: self.lr, ..RATE }; parameters];
        let step = |number| {
            let (x, targets) = self.input(number);
            copy(device, &x, x.len() / (3 * self.side * self.side));
            let loss = device
                .train(u64::from(number), &targets, &rates)
                .unwrap()
                .wait()
                .unwrap();
            (loss.sum, loss.present, loss.correct)
        };
        (0..3).map(step).collect()
    }

    pub fn alone(&self) -> Came {
        let (mut losses, whole) = self.several(1, Parallel::Data);
        (losses.remove(0), whole)
    }

    /// The same on several devices: what each told, and the parameters that they come to together.
    pub fn several(&self, count: usize, parallel: Parallel) -> (Vec<Vec<Told>>, Vec<Parameter>) {
        let spec = self.spec();
        let mut whole = weights(&self.job(&spec), 3);
        let mut devices = loaded(&self.job(&spec), count, parallel, &whole);
        let parameters = whole.len();
        let losses = each(&mut devices, |device| self.steps(device, parameters));
        for device in &mut devices {
            device.store(&mut whole).unwrap();
        }
        if parallel == Parallel::Data {
            // With its share of the rows, everyone has all values.
            let values: Vec<_> = whole.iter().map(|parameter| &parameter.value).collect();
            for device in &mut devices {
                assert!(device.inspect().unwrap().values.iter().eq(values.iter().copied()));
            }
        }
        (losses, whole)
    }

    /// On several devices with a share of the rows each.
    fn data(&self, devices: usize) -> Came {
        let (losses, whole) = self.several(devices, Parallel::Data);
        let add = |a: Told, b: &Told| (a.0 + b.0, a.1 + b.1, a.2 + b.2);
        let sums = (0..3).map(|step| losses.iter().map(|losses| &losses[step]).fold((0.0, 0, 0), add));
        (sums.collect(), whole)
    }
}

/// `count` devices for `job` that have their shares of `weights`.
pub fn loaded(job: &Job<'_>, count: usize, parallel: Parallel, weights: &[Parameter]) -> Vec<Box<dyn Device>> {
    let names: Vec<_> = (0..count)
        .map(|number| DeviceName::new(Kind::Cpu, number).unwrap())
        .collect();
    let mut devices = devices::build(job, &names, parallel).unwrap();
    for device in &mut devices {
        device.load(weights).unwrap();
    }
    devices
}

/// Lends a device the images of a batch, of which there are `rows`.
pub fn copy(device: &mut dyn Device, x: &[f32], rows: usize) {
    device.copy_rows(&slot(x, rows), rows).unwrap().wait().unwrap();
}

/// Calls `work` for each device on a thread of its own.
pub fn each<T: Send>(devices: &mut [Box<dyn Device>], work: impl Fn(&mut dyn Device) -> T + Sync) -> Vec<T> {
    let work = &work;
    thread::scope(|scope| {
        let devices = devices.iter_mut();
        let running: Vec<_> = devices.map(|device| scope.spawn(move || work(&mut **device))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Small networks of every kind of layer, and sizes of batches that do not divide.
fn runs(test: impl Fn(Run<'_>)) {
    let he = Overrides {
        init: Some(pipeline::config::model::Init::He),
        ..Overrides::default()
    };
    let medium = presets::layers("alexnet-medium", he).unwrap();
    let small = presets::layers("alexnet-small", he).unwrap();
    let tanh = presets::layers("cifar10-quick-tanh", he).unwrap();
    for (layers, side, sizes) in [
        (&medium, 48, &[(8, 3)][..]),
        (&small, 28, &[(16, 3), (17, 13), (5, 1)]),
        // More chunks, of halves that are not equal; the tail is in one half, or all but in both.
        (&small, 12, &[(127, 50), (129, 128)]),
        (&tanh, 24, &[(9, 9), (17, 3)]),
    ] {
        for &(batch, tail) in sizes {
            for method in [Method::Direct, Method::Winograd] {
                test(Run {
                    layers,
                    side,
                    batch,
                    tail,
                    lr: RATE.lr,
                    method,
                });
            }
        }
    }
}

#[test]
fn two_devices_with_a_half_each_come_to_the_bits_of_one() {
    runs(|run| {
        let (alone, two) = (run.alone(), run.data(2));
        assert_eq!(alone.0, two.0, "losses, {} rows, {} in the tail", run.batch, run.tail);
        for (alone, two) in alone.1.iter().zip(&two.1) {
            assert!(
                alone == two,
                "{}, {} rows, {} in the tail",
                alone.name,
                run.batch,
                run.tail
            );
        }
    });
}

#[test]
fn three_and_four_devices_differ_by_the_rounding_of_sums() {
    runs(|run| {
        let alone = run.alone();
        for devices in [3, 4] {
            let several = run.data(devices);
            for (alone, several) in alone.1.iter().zip(&several.1) {
                // Biases, which begin at 0, and momentum are sums in which much cancels out.
                let tolerance = if is_bias(alone) { 3e-5 } else { 1e-6 };
                assert_near(&alone.name, &several.value, &alone.value, tolerance);
                assert_near(&alone.name, &several.momentum, &alone.momentum, 3e-5);
            }
        }
    });
}

/// Whether a parameter is a bias.
pub fn is_bias(parameter: &Parameter) -> bool {
    parameter.shape.len() == 1
}

/// Fails where a number is further away than `tolerance`, in parts of the largest.
pub fn assert_near(what: &str, ours: &[f32], twin: &[f32], tolerance: f32) {
    let largest = twin.iter().fold(1e-6f32, |largest, x| largest.max(x.abs()));
    let apart = ours.iter().zip(twin).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
    assert!(
        apart <= tolerance * largest,
        "{what}: {apart:e} apart, the largest is {largest:e}"
    );
}
