//! Fixtures: devices, numbers, and the comparison with a tolerance.

use std::sync::Arc;

use pipeline::devices::cpu::{Cpu, Threads};
use pipeline::rng::{Philox, Purpose};

/// A pool of `count` threads.
pub fn threads(count: usize) -> Arc<Threads> {
    Arc::new(Threads::new("cpu-0", count).unwrap())
}

/// A device of two threads with plenty of scratch.
pub fn cpu() -> Cpu {
    Cpu::new(threads(2), 1 << 20).unwrap()
}

/// Numbers in −1..1 that depend on `seed`, none of them 0.
pub fn numbers(seed: u32, count: usize) -> Vec<f32> {
    let mut random = Philox::new(7, Purpose::Init, seed, 99);
    (0..count).map(|_| 2.0 * random.uniform() - 1.0 + 1e-8).collect()
}

/// Fails if a number differs from its reference by more than `tolerance` times the largest reference (or 0.1, since sums
/// cancel).
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
