//! A small network learns what can be learnt.

use pipeline::config::compute::Method;
use pipeline::config::model::{Convolution, Layer, MaxPool};
use pipeline::model::{Network, Pass};
use pipeline::ops::Shape;
use pipeline::ops::sgd::Rate;

use crate::given::{numbers, threads};
use crate::layers::{conv, fc};

/// Noise, and a bright quarter that the label names.
fn image(label: u32, seed: u32) -> Vec<f32> {
    let mut image: Vec<f32> = numbers(seed, 64).iter().map(|x| 0.5 * x).collect();
    let (top, left) = (label as usize / 2 * 4, label as usize % 2 * 4);
    for (y, x) in (0..4).flat_map(|y| (0..4).map(move |x| (y, x))) {
        image[(top + y) * 8 + left + x] += 0.7;
    }
    image
}

#[test]
fn which_quarter_is_bright() {
    let layers = [
        Layer::Convolution(Convolution {
            padding: 1,
            ..conv("conv1", 8)
        }),
        Layer::Relu,
        Layer::MaxPool(MaxPool {
            size: 3,
            stride: 2,
            partial_windows: true,
        }),
        fc("fc2", Some(16)),
        Layer::Relu,
        fc("fc3", None),
    ];
    let mut network = Network::new(&layers, Shape::new(1, 8, 8), 4, 32, Method::Auto, threads(2), 1).unwrap();
    let rates = vec![
        Rate {
            lr: 0.05,
            momentum: 0.9,
            weight_decay: 5e-4,
            frozen: false
        };
        network.parameters().len()
    ];
    let labels: Vec<u32> = (0..32).map(|i| i % 4).collect();
    for step in 0..80 {
        for (row, to) in network.input_mut().chunks_exact_mut(64).enumerate() {
            to.copy_from_slice(&image(labels[row], step * 32 + row as u32));
        }
        network.forward(Pass::Train { seed: 1, step }, 32);
        network.loss(&labels, &[1.0; 32]);
        network.backward();
        network.update(&rates);
    }
    for (row, to) in network.input_mut().chunks_exact_mut(64).enumerate() {
        to.copy_from_slice(&image(labels[row], 1_000_000 + row as u32));
    }
    network.forward(Pass::Evaluate, 32);
    let loss = network.loss(&labels, &[1.0; 32]);
    assert!(loss.mean() < 0.1 && loss.correct == 32, "{loss:?}");
}
