//! The kernels' vector instructions against plain code, in a test binary of its own, since the choice is per process.
#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

use pipeline::config::compute::Method;
use pipeline::config::model::{Convolution, Layer};
use pipeline::model::{Job, Spec};
use pipeline::ops::Shape;
use pipeline::ops::sgd::Rate;
use pipeline::ops::simd::{self, Instructions};
use pipeline::rng::{Philox, Purpose};

mod layers;
#[allow(dead_code, reason = "each test target uses its part")]
mod net;
#[allow(dead_code, reason = "each test target lacks its part")]
mod skip;

use layers::{conv, fc, lrn, max_pool};
use net::Net;
use skip::Need;

const SHAPE: Shape = Shape::new(3, 19, 18);
const BATCH: usize = 6;

/// Large enough for every convolution algorithm, with normalization and pooling.
fn network() -> Vec<Layer> {
    let two_groups = Convolution {
        kernel: 5,
        padding: 2,
        groups: 2,
        ..conv("conv2", 48)
    };
    vec![
        Layer::Convolution(conv("conv1", 32)),
        Layer::Relu,
        lrn(5),
        max_pool(),
        Layer::Convolution(two_groups),
        Layer::Relu,
        Layer::Convolution(conv("conv3", 20)),
        Layer::Relu,
        fc("fc4", None),
    ]
}

/// Each convolution algorithm, from several starts.
fn cases() -> impl Iterator<Item = (Method, u64)> {
    [Method::Direct, Method::Winograd]
        .into_iter()
        .flat_map(|method| (1..=6).map(move |seed| (method, seed)))
}

/// The weights after some steps.
fn trained((method, seed): (Method, u64)) -> Vec<f32> {
    let spec = Spec::new(&network(), SHAPE, 7).unwrap();
    let job = Job {
        seed,
        method,
        threads: 2,
        ..Job::new(&spec, BATCH)
    };
    let mut net = Net::new(&job, seed);
    let rate = Rate {
        lr: 0.01,
        momentum: 0.9,
        weight_decay: 5e-4,
        frozen: false,
    };
    for step in 0..5 {
        let mut random = Philox::new(seed, Purpose::Init, step, 99);
        let x: Vec<f32> = (0..BATCH * SHAPE.len()).map(|_| 2.0 * random.uniform() - 1.0).collect();
        net.train(&x, (&[0, 1, 2, 3, 4, 5], &[1.0; BATCH]), step, rate);
    }
    let values = net.parameters().iter().map(|parameter| &parameter.value);
    values.flatten().copied().collect()
}

/// A single test, since the choice is per process.
#[test]
fn vector_instructions_train_what_plain_code_trains() {
    if simd::used() != Instructions::Avx512 {
        skip::for_lack_of(Need::Avx512, "AVX-512 is not compared, as this processor has none");
    }
    let all = || cases().map(trained).collect::<Vec<_>>();
    let best = all();
    simd::limit(Instructions::Avx2);
    let fast = all();
    let bits = |weights: &[f32]| weights.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    for ((best, fast), case) in best.iter().zip(&fast).zip(cases()) {
        assert!(bits(best) == bits(fast), "{case:?}: AVX-512 has other bits than AVX2");
    }
    simd::limit(Instructions::Portable);
    for (fast, case) in fast.iter().zip(cases()) {
        let plain = trained(case);
        let largest = plain.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
        let apart = fast.iter().zip(&plain).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart <= 1e-6 * largest, "{case:?}: {apart} of {largest}");
    }
}
