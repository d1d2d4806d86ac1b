//! A small network learns what can be learnt.

use pipeline::config::model::{Convolution, Layer, MaxPool};
use pipeline::model::Spec;
use pipeline::ops::Shape;
use pipeline::ops::sgd::Rate;

use crate::given::numbers;
use crate::layers::{conv, fc};
use crate::net::{FROZEN, Net};
use crate::networks::job;

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
    let spec = Spec::new(&layers, Shape::new(1, 8, 8), 4).unwrap();
    let mut net = Net::new(&job(&spec, 32, 2), 1);
    let rate = Rate {
        lr: 0.05,
        momentum: 0.9,
        weight_decay: 5e-4,
        frozen: false,
    };
    let labels: Vec<u32> = (0..32).map(|i| i % 4).collect();
    let images = |first: u32| -> Vec<f32> {
        let rows = labels.iter().zip(first..);
        rows.flat_map(|(label, number)| image(*label, number)).collect()
    };
    for step in 0..80 {
        net.train(&images(step * 32), (&labels, &[1.0; 32]), step, rate);
    }
    // There is no dropout, so the loss of a step is that of an evaluation.
    let loss = net.train(&images(1_000_000), (&labels, &[1.0; 32]), 80, FROZEN);
    assert!(loss.mean() < 0.1 && loss.correct == 32, "{loss:?}");
}
