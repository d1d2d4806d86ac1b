//! What tests start from: devices, numbers, and how close is close.

use std::sync::Arc;

use pipeline::config::model::{Convolution, Dropout, FullyConnected, Init, Layer, Lrn, MaxPool};
use pipeline::devices::cpu::{Cpu, Threads};
use pipeline::rng::{Philox, Purpose};

/// A pool of `count` threads.
pub fn threads(count: usize) -> Arc<Threads> {
    Arc::new(Threads::new("cpu-0", count).unwrap())
}

/// A device of two threads with plenty of scratch.
pub fn cpu() -> Cpu {
    Cpu::new(threads(2), 1 << 20)
}

/// Numbers in −1..1 that depend on `seed`, all different from 0.
pub fn numbers(seed: u32, count: usize) -> Vec<f32> {
    let mut random = Philox::new(7, Purpose::Init, seed, 99);
    (0..count).map(|_| 2.0 * random.uniform() - 1.0 + 1e-8).collect()
}

/// Fails where a number is further than `tolerance` from its twin, in parts of the largest twin (and of 0.1: sums cancel).
pub fn assert_close(what: &str, ours: &[f32], twin: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), twin.len(), "{what}");
    let largest = twin.iter().fold(0.1f64, |largest, x| largest.max(x.abs()));
    for (i, (x, y)) in ours.iter().zip(twin).enumerate() {
        assert!(
            (f64::from(*x) - y).abs() <= tolerance * largest,
            "{what}[{i}]: {x} instead of {y}"
        );
    }
}

/// A convolution of a kernel of 3 with padding.
pub fn conv(name: &str, channels: usize) -> Convolution {
    Convolution {
        name: name.to_owned(),
        channels,
        kernel: 3,
        stride: 1,
        padding: 1,
        groups: 1,
        partial_windows: false,
        init: Init::He,
        bias: 0.1,
    }
}

/// A fully connected layer.
pub fn fc(name: &str, outputs: Option<usize>) -> Layer {
    Layer::FullyConnected(FullyConnected {
        name: name.to_owned(),
        outputs,
        init: Init::He,
        bias: 0.1,
    })
}

/// A network with every kind of layer, for inputs of 3 × 11 × 10 and few classes.
pub fn every_kind() -> Vec<Layer> {
    vec![
        Layer::Convolution(Convolution {
            stride: 2,
            partial_windows: true,
            ..conv("conv1", 6)
        }),
        Layer::Relu,
        Layer::Lrn(Lrn {
            size: 3,
            alpha: 0.3,
            beta: 0.75,
            k: 1.5,
            divide_by_size: false,
        }),
        Layer::MaxPool(MaxPool {
            size: 3,
            stride: 2,
            partial_windows: true,
        }),
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
