//! Networks in columns against the whole network: the same numbers, but for the order in which gradients are summed.

use pipeline::config::compute::{Method, Parallel};
use pipeline::config::devices::{DeviceName, Kind};
use pipeline::config::model::{Convolution, Dropout, Init, Layer};
use pipeline::model::presets::{self, Overrides};
use pipeline::model::{ModelError, Placement, Spec, devices};
use pipeline::ops::Shape;

use super::{CLASSES, Run, assert_near, copy, each, is_bias, loaded};
use crate::layers::{self, fc, lrn, max_pool};
use crate::net::{FROZEN, weights};

fn conv(name: &str, channels: usize, groups: usize) -> Layer {
    Layer::Convolution(Convolution {
        groups,
        ..layers::conv(name, channels)
    })
}

/// Everything in an order that no preset has, with shares that are not even and dropout on maps.
fn odd() -> Vec<Layer> {
    vec![
        lrn(3),
        conv("conv1", 13, 1),
        Layer::Tanh,
        Layer::Tanh,
        lrn(3),
        Layer::Dropout(Dropout { p: 0.2 }),
        max_pool(),
        Layer::Relu,
        conv("conv2", 12, 1),
        lrn(3),
        conv("conv3", 24, 12),
        Layer::Relu,
        Layer::Dropout(Dropout { p: 0.3 }),
        max_pool(),
        fc("fc4", Some(21)),
        Layer::Tanh,
        Layer::Dropout(Dropout { p: 0.5 }),
        fc("fc5", None),
    ]
}

/// The paper's plan, small, with shares for which convolutions are computed as in the whole.
fn plain() -> Vec<Layer> {
    vec![
        conv("conv1", 32, 1),
        Layer::Relu,
        lrn(5),
        max_pool(),
        conv("conv2", 48, 2),
        Layer::Relu,
        lrn(5),
        max_pool(),
        conv("conv3", 32, 1),
        Layer::Relu,
        conv("conv4", 32, 2),
        Layer::Relu,
        max_pool(),
        fc("fc5", Some(24)),
        Layer::Relu,
        Layer::Dropout(Dropout { p: 0.5 }),
        fc("fc6", None),
    ]
}

fn preset(name: &str) -> Vec<Layer> {
    let he = Overrides {
        init: Some(Init::He),
        ..Overrides::default()
    };
    presets::layers(name, he).unwrap()
}

fn run(layers: &[Layer], side: usize) -> Run<'_> {
    Run {
        layers,
        side,
        batch: 9,
        tail: 5,
        // So low that three steps make no more of a difference in rounding, as they would where the loss leaps.
        lr: 0.0005,
        method: Method::Direct,
    }
}

/// What a forward pass is for.
#[derive(Clone, Copy)]
enum Pass {
    Evaluate,
    Train,
}

/// The scores on each of `count` devices before any change of weights.
fn scores(run: Run<'_>, count: usize, pass: Pass) -> Vec<Vec<f32>> {
    let (x, targets) = run.input(0);
    let spec = run.spec();
    let weights = weights(&run.job(&spec), 3);
    let mut devices = loaded(&run.job(&spec), count, Parallel::Columns, &weights);
    each(&mut devices, |device| {
        copy(device, &x, run.batch);
        match pass {
            Pass::Evaluate => drop(device.evaluate().unwrap().wait().unwrap()),
            Pass::Train => drop(
                device
                    .train(3, &targets, &vec![FROZEN; weights.len()])
                    .unwrap()
                    .wait()
                    .unwrap(),
            ),
        }
        device.inspect().unwrap().logits
    })
}

/// No sum is split on the way forward. Only where a device has so few channels, or so long a matrix product, that another
/// way to compute it is taken, it is rounded otherwise.
#[test]
fn forward_every_device_has_the_scores_of_the_whole_network() {
    for pass in [Pass::Evaluate, Pass::Train] {
        for (layers, side, counts, method, tolerance) in [
            (preset("alexnet-medium"), 48, &[2][..], Method::Direct, 1e-6),
            (preset("alexnet-small"), 28, &[2, 3, 4], Method::Direct, 1e-6),
            (odd(), 11, &[2, 3], Method::Direct, 1e-6),
            (plain(), 20, &[2], Method::Direct, 0.0),
            (plain(), 20, &[2], Method::Winograd, 0.0),
        ] {
            let run = Run {
                method,
                ..run(&layers, side)
            };
            let whole = &scores(run, 1, pass)[0];
            for &devices in counts {
                for own in scores(run, devices, pass) {
                    assert_near("scores", &own, whole, tolerance);
                }
            }
        }
    }
}

#[test]
fn a_few_steps_come_to_the_weights_of_the_whole_network() {
    for (layers, side, counts) in [
        (preset("alexnet-medium"), 48, &[2][..]),
        (preset("alexnet-small"), 28, &[2, 3, 4]),
        (preset("cifar10-quick-tanh"), 24, &[2]),
        (plain(), 20, &[2]),
        (odd(), 11, &[2, 3]),
    ] {
        for method in [Method::Direct, Method::Winograd] {
            let run = Run {
                method,
                ..run(&layers, side)
            };
            let alone = run.alone();
            for &devices in counts {
                let (losses, whole) = run.several(devices, Parallel::Columns);
                // The first tells the loss of all rows, and the others none, so that sums over devices count each row once.
                for (ours, alone) in losses[0].iter().zip(&alone.0) {
                    assert!(
                        (ours.0 - alone.0).abs() < 1e-4 && ours.1 == alone.1,
                        "{ours:?} {alone:?}"
                    );
                }
                assert!(losses[1..].iter().flatten().all(|told| *told == (0.0, 0, 0)));
                for (ours, alone) in whole.iter().zip(&alone.1) {
                    assert_eq!((&ours.name, &ours.shape), (&alone.name, &alone.shape));
                    // A bias begins at 0 and is nothing but its momentum, a sum in which much cancels out.
                    let tolerance = if is_bias(alone) { 2e-5 } else { 1e-5 };
                    assert_near(&alone.name, &ours.value, &alone.value, tolerance);
                    assert_near(&alone.name, &ours.momentum, &alone.momentum, 2e-5);
                }
            }
        }
    }
}

/// A device has the weights of its own outputs and no others, and as much memory as planned.
#[test]
fn two_columns_hold_each_weight_once() {
    let layers = preset("alexnet-medium");
    let run = run(&layers, 48);
    let spec = run.spec();
    let job = run.job(&spec);
    let names = [0, 1].map(|number| DeviceName::new(Kind::Cpu, number).unwrap());
    let mut columns = devices::build(&job, &names, Parallel::Columns).unwrap();
    let mut held = 0;
    for (placement, device) in Placement::all(2, Parallel::Columns).zip(&mut columns) {
        assert_eq!(
            device.memory(),
            devices::memory(&job, DeviceName::CPU, placement).unwrap()
        );
        let inside = device.inspect().unwrap();
        held += inside.values.iter().map(Vec::len).sum::<usize>();
    }
    assert_eq!(held, spec.parameters());
}

#[test]
fn models_that_devices_cannot_share_are_refused_by_name() {
    let refusal = |layers: &[Layer], of: usize| {
        let whole = Spec::new(layers, Shape::new(3, 12, 12), CLASSES).unwrap();
        let placement = Placement::all(of, Parallel::Columns).last().unwrap();
        placement.spec(&whole).unwrap_err()
    };
    let groups = [conv("conv1", 12, 1), conv("conv2", 12, 3), fc("fc3", None)];
    assert!(
        matches!(refusal(&groups, 2), ModelError::GroupsOfDevices { layer, groups: 3, devices: 2 } if layer == "conv2")
    );
    let few = [conv("conv1", 12, 1), fc("fc2", None)];
    assert!(
        matches!(refusal(&few, 6), ModelError::OutputsOfDevices { layer, outputs: 5, devices: 6 } if layer == "fc2")
    );
    let narrow = [conv("conv1", 6, 1), lrn(5), fc("fc2", None)];
    assert!(matches!(refusal(&narrow, 2), ModelError::Narrow { layer, channels: 3, halo: 4, .. } if layer == "lrn1"));
}
