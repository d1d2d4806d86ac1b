//! The kernels' vector instructions beside plain code: a process of its own, as the choice is the whole process's.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;

use pipeline::config::compute::Method;
use pipeline::config::model::{Convolution, FullyConnected, Init, Layer, Lrn, MaxPool};
use pipeline::devices::cpu::Threads;
use pipeline::model::{Network, Pass};
use pipeline::ops::Shape;
use pipeline::ops::sgd::Rate;
use pipeline::ops::simd::{self, Instructions};
use pipeline::rng::{Philox, Purpose};

const SHAPE: Shape = Shape::new(3, 19, 18);
const BATCH: usize = 6;

/// Large enough for every algorithm of convolution, with normalisation and pooling.
fn layers() -> Vec<Layer> {
    let conv = |name: &str, channels, kernel, groups| {
        Layer::Convolution(Convolution {
            name: name.to_owned(),
            channels,
            kernel,
            stride: 1,
            padding: kernel / 2,
            groups,
            partial_windows: false,
            init: Init::He,
            bias: 0.1,
        })
    };
    let lrn = Lrn {
        size: 5,
        alpha: 0.1,
        beta: 0.75,
        k: 2.0,
        divide_by_size: false,
    };
    let pool = MaxPool {
        size: 3,
        stride: 2,
        partial_windows: true,
    };
    vec![
        conv("conv1", 32, 3, 1),
        Layer::Relu,
        Layer::Lrn(lrn),
        Layer::MaxPool(pool),
        conv("conv2", 48, 5, 2),
        Layer::Relu,
        conv("conv3", 20, 3, 1),
        Layer::Relu,
        Layer::FullyConnected(FullyConnected {
            name: "fc4".to_owned(),
            outputs: None,
            init: Init::He,
            bias: 0.0,
        }),
    ]
}

/// Weights after some steps.
fn trained(method: Method) -> Vec<f32> {
    let threads = Arc::new(Threads::new("cpu-0", 2).unwrap());
    let mut network = Network::new(&layers(), SHAPE, 7, BATCH, method, threads, 1).unwrap();
    let rate = Rate {
        lr: 0.01,
        momentum: 0.9,
        weight_decay: 5e-4,
        frozen: false,
    };
    for step in 0..5 {
        let mut random = Philox::new(7, Purpose::Init, step, 99);
        network.input_mut().fill_with(|| 2.0 * random.uniform() - 1.0);
        network.forward(Pass::Train { seed: 1, step }, BATCH);
        network.loss(&[0, 1, 2, 3, 4, 5], &[1.0; BATCH]);
        network.backward();
        network.update(&vec![rate; network.parameters().len()]);
    }
    let values = network.parameters().iter().map(|parameter| &parameter.value);
    values.flatten().copied().collect()
}

/// One test, as the choice is the whole process's.
#[test]
fn vector_instructions_train_what_plain_code_trains() {
    let methods = [Method::Direct, Method::Winograd];
    if simd::used() != Instructions::Avx512 {
        eprintln!("this processor has no AVX-512: its instance is not compared");
    }
    let best = methods.map(trained);
    simd::limit(Instructions::Avx2);
    let fast = methods.map(trained);
    let bits = |weights: &[f32]| weights.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    for (best, fast) in best.iter().zip(&fast) {
        assert!(bits(best) == bits(fast), "AVX-512 has other bits than AVX2");
    }
    simd::limit(Instructions::Portable);
    for (fast, method) in fast.iter().zip(methods) {
        let plain = trained(method);
        let largest = plain.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
        let apart = fast.iter().zip(&plain).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart <= 1e-5 * largest, "{method:?}: {apart} of {largest}");
    }
}
