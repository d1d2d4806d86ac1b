//! Gradients of a network of every kind of layer against finite differences of its loss.

use pipeline::config::model::{Convolution, Dropout, Layer, MaxPool};
use pipeline::model::Spec;

use crate::given::numbers;
use crate::layers::{conv, fc, lrn, max_pool};
use crate::net::{FROZEN, Net};
use crate::networks::{SHAPE, every_kind, job};

const LABELS: [u32; 6] = [0, 3, 1, 2, 2, 0];
const WEIGHTS: [f32; 6] = [1.0, 1.0, 0.0, 1.0, 1.0, 1.0];
const STEP: u32 = 5;

/// The loss of a step that leaves the weights as they are.
fn loss(net: &mut Net, x: &[f32]) -> f64 {
    net.train(x, (&LABELS, &WEIGHTS), STEP, FROZEN).mean()
}

fn check(layers: &[Layer]) {
    let spec = Spec::new(layers, SHAPE, 4).unwrap();
    let mut net = Net::new(&job(&spec, 6, 2), 1);
    let x = numbers(1, 6 * SHAPE.len());
    let here = loss(&mut net, &x);
    let gradients = net.inside().gradients;
    let start = net.parameters().to_vec();
    for (index, gradient) in gradients.iter().enumerate() {
        let name = &start[index].name;
        let largest = gradient.iter().fold(0.0f32, |largest, g| largest.max(g.abs()));
        assert!(largest > 1e-5, "{name} has no gradient");
        for i in (0..gradient.len()).step_by(gradient.len().div_ceil(25)) {
            let mut at = |shift: f32| {
                let mut moved = start.clone();
                moved[index].value[i] += shift;
                net.load(&moved);
                loss(&mut net, &x)
            };
            // A kink of a rectifier or of a maximum spoils the differences across it, but hardly those to both sides at every distance.
            let slopes = [5e-4, 1.5e-4, 2e-3].map(|shift: f32| {
                let (above, below, shift) = (at(shift), at(-shift), f64::from(shift));
                [(above - below) / 2.0, above - here, here - below].map(|difference| difference / shift)
            });
            let near = |slope: &f64| (slope - f64::from(gradient[i])).abs() <= 0.02 * f64::from(largest);
            assert!(
                slopes.iter().flatten().any(near),
                "{name}[{i}]: {} and not {slopes:?}",
                gradient[i]
            );
        }
    }
}

/// Max pooling behind an activation is done before it.
#[test]
fn of_pooling_that_changes_places_with_an_activation() {
    let pool = |size, partial_windows| {
        Layer::MaxPool(MaxPool {
            size,
            stride: 2,
            partial_windows,
        })
    };
    check(&[
        Layer::Convolution(conv("conv1", 9)),
        Layer::Tanh,
        pool(3, true),
        Layer::Convolution(conv("conv2", 8)),
        Layer::Relu,
        pool(2, false),
        Layer::Tanh,
        fc("fc3", None),
    ]);
}

/// Enough channels for Winograd convolution, whose output is normalised, pooled and dropped.
#[test]
fn of_convolutions_by_winograd() {
    let five = Convolution {
        kernel: 5,
        padding: 2,
        groups: 2,
        ..conv("conv2", 32)
    };
    check(&[
        Layer::Convolution(conv("conv1", 32)),
        Layer::Relu,
        Layer::Convolution(five),
        Layer::Relu,
        lrn(5),
        max_pool(),
        Layer::Dropout(Dropout { p: 0.3 }),
        Layer::Convolution(conv("conv3", 16)),
        Layer::Tanh,
        fc("fc4", None),
    ]);
}

#[test]
fn of_every_kind_of_layer() {
    check(&every_kind());
}

#[test]
fn of_a_network_that_starts_without_parameters() {
    let mut layers = every_kind();
    layers.insert(0, Layer::Tanh);
    layers.insert(0, Layer::Tanh);
    check(&layers);
}
