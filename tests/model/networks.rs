//! Small networks, and steps of theirs.

use pipeline::config::compute::Method;
use pipeline::config::model::{Convolution, Dropout, Layer};
use pipeline::model::{Network, Pass};
use pipeline::ops::Shape;
use pipeline::ops::sgd::Rate;

use crate::given::threads;
use crate::layers::{conv, fc, lrn, max_pool};

/// A network with every kind of layer, for inputs of 3 × 11 × 10 and few classes.
pub fn every_kind() -> Vec<Layer> {
    vec![
        Layer::Convolution(Convolution {
            stride: 2,
            partial_windows: true,
            ..conv("conv1", 6)
        }),
        Layer::Relu,
        lrn(3),
        max_pool(),
        Layer::Convolution(Convolution {
            groups: 2,
            ..conv("conv2", 8)
        }),
        Layer::Tanh,
        Layer::Tanh,
        Layer::Convolution(conv("conv3", 5)),
        Layer::Relu,
        fc("fc4", Some(12)),
        Layer::Tanh,
        Layer::Dropout(Dropout { p: 0.25 }),
        fc("fc5", None),
    ]
}

/// Images of [`network`].
pub const SHAPE: Shape = Shape::new(3, 11, 10);
/// The solver of [`step`].
pub const RATE: Rate = Rate {
    lr: 0.05,
    momentum: 0.9,
    weight_decay: 5e-4,
    frozen: false,
};

/// A network with batches of `batch` images.
pub fn network(batch: usize, count: usize) -> Network {
    Network::new(&every_kind(), SHAPE, 4, batch, Method::Auto, threads(count), 1).unwrap()
}

/// One step on `x`; the loss.
pub fn step(network: &mut Network, x: &[f32], labels: &[u32], weights: &[f32], step: u32) -> f64 {
    network.input_mut()[..x.len()].copy_from_slice(x);
    network.forward(Pass::Train { seed: 3, step }, x.len() / SHAPE.len());
    let loss = network.loss(labels, weights);
    network.backward();
    network.update(&vec![RATE; network.parameters().len()]);
    loss.sum
}
