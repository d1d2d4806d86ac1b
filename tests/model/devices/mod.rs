//! Networks on several devices against the same network on one, step by step, as the devices' threads train them.

mod columns;
mod speed;

use std::sync::Arc;
use std::thread;

use pipeline::config::compute::{Method, Parallel};
use pipeline::config::model::Layer;
use pipeline::devices::cpu::{CpuCommunicator, Threads};
use pipeline::model::cpu::columns::Columns;
use pipeline::model::presets::{self, Overrides};
use pipeline::model::{Network, Parameter, Placement, Spec};
use pipeline::ops::Shape;
use pipeline::ops::sgd::Rate;
use pipeline::rng::{Philox, Purpose};
use pipeline::stages::compute::{Peers, Replica, Targets};

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

fn threads(name: usize) -> Arc<Threads> {
    Arc::new(Threads::new(&format!("cpu-{name}"), 1 + name % 2).unwrap())
}

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

    pub fn network(&self, placement: Placement) -> Network {
        let spec = Spec::new(self.layers, Shape::new(3, self.side, self.side), CLASSES).unwrap();
        Network::on(placement, &spec, self.batch, self.method, threads(placement.index), 3).unwrap()
    }

    /// Three steps; the last has the tail of an epoch.
    fn on(&self, network: Network, peers: Peers) -> (Vec<Told>, Network) {
        let mut replica = replica(network, peers);
        let len = replica.row_len;
        let mut losses = Vec::new();
        for number in 0..3 {
            let (x, targets) = self.input(number);
            let (own, rows) = (replica.network.own_rows(), x.len() / len);
            let own = own.start.min(rows)..own.end.min(rows);
            replica.network.input_mut()[..own.len() * len].copy_from_slice(&x[own.start * len..own.end * len]);
            let loss = step(&mut replica, own.len(), number, self.lr, &targets);
            losses.push(loss);
        }
        (losses, replica.network)
    }

    pub fn alone(&self) -> Came {
        let (losses, network) = self.on(self.network(Placement::ALONE), Peers::None);
        (losses, network.parameters().to_vec())
    }

    /// The same on several devices: what each told, and the parameters that they come to together.
    pub fn several(&self, devices: usize, parallel: Parallel) -> (Vec<Vec<Told>>, Vec<Parameter>) {
        let networks: Vec<_> = Placement::all(devices, parallel)
            .map(|placement| self.network(placement))
            .collect();
        let pools = networks.iter().map(|network| Arc::clone(network.threads())).collect();
        let ends: Vec<_> = thread::scope(|scope| {
            let ends = networks.into_iter().zip(CpuCommunicator::between(pools));
            let running: Vec<_> = ends
                .map(|(network, end)| {
                    let peers = tied(parallel, end, &network);
                    scope.spawn(|| self.on(network, peers))
                })
                .collect();
            running.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let mut whole = Vec::new();
        for (_, network) in &ends {
            network.store(&mut whole).unwrap();
            // With its share of the rows, everyone has all values.
            for (own, first) in network.parameters().iter().zip(ends[0].1.parameters()) {
                assert!(parallel != Parallel::Data || own.value == first.value, "{}", own.name);
            }
        }
        (ends.into_iter().map(|(losses, _)| losses).collect(), whole)
    }

    /// On several devices with a share of the rows each.
    fn data(&self, devices: usize) -> Came {
        let (losses, whole) = self.several(devices, Parallel::Data);
        let add = |a: Told, b: &Told| (a.0 + b.0, a.1 + b.1, a.2 + b.2);
        let sums = (0..3).map(|step| losses.iter().map(|losses| &losses[step]).fold((0.0, 0, 0), add));
        (sums.collect(), whole)
    }
}

/// How a device reaches its peers, by its communicator.
pub fn tied(parallel: Parallel, end: CpuCommunicator, network: &Network) -> Peers {
    match parallel {
        Parallel::Data => Peers::Gradients(Box::new(end)),
        Parallel::Columns => Peers::Columns(Columns::new(Box::new(end), Arc::clone(network.threads()))),
    }
}

/// A device that has `network`.
pub fn replica(network: Network, peers: Peers) -> Replica {
    Replica {
        name: "cpu",
        row_len: network.spec().input.len(),
        network,
        seed: 4,
        peers,
    }
}

/// One step of a device on the `rows` rows that are in its network.
pub fn step(replica: &mut Replica, rows: usize, step: u32, lr: f32, targets: &Targets) -> Told {
    let rates = vec![Rate { lr, ..RATE }; replica.network.parameters().len()];
    let loss = replica.train(rows, u64::from(step), targets, &rates).unwrap();
    (loss.sum, loss.present, loss.correct)
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
                let tolerance = if alone.is_bias() { 3e-5 } else { 1e-6 };
                assert_near(&alone.name, &several.value, &alone.value, tolerance);
                assert_near(&alone.name, &several.momentum, &alone.momentum, 3e-5);
            }
        }
    });
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
