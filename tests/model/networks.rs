//! Small networks, and steps of theirs.

use pipeline::config::model::{Convolution, Dropout, Layer};
use pipeline::model::{Job, Spec};
use pipeline::ops::Shape;
use pipeline::ops::sgd::Rate;

use crate::layers::{conv, fc, lrn, max_pool};
use crate::net::Net;

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

/// The network of [`every_kind`].
pub fn spec() -> Spec {
    Spec::new(&every_kind(), SHAPE, 4).unwrap()
}

/// A network for batches of `batch` images on `threads` threads.
pub fn job(spec: &Spec, batch: usize, threads: usize) -> Job<'_> {
    Job {
        seed: 3,
        threads,
        ..Job::new(spec, batch)
    }
}

/// The network of [`every_kind`] with batches of `batch` images.
pub fn network(batch: usize, threads: usize) -> Net {
    Net::new(&job(&spec(), batch, threads), 1)
}

/// One step on `x`; the loss.
pub fn step(net: &mut Net, x: &[f32], labels: &[u32], weights: &[f32], step: u32) -> f64 {
    net.train(x, (labels, weights), step, RATE).sum
}
