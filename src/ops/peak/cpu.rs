//! The processor's peak: multiply-adds that use only registers.
#![allow(
    clippy::inline_always,
    reason = "the loop must be inlined into the function that is compiled for the instruction set"
)]

use std::hint::{self, black_box};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::devices::cpu::Threads;
use crate::ops::simd::{self, Number, ROW, Simd, Work};

/// The most independent chains of multiply-adds. Each instruction set uses as many as keep its units busy.
const CHAINS: usize = 12;

/// Links per chain between two readings of the clock: tens of microseconds.
const LINKS: u64 = 10_000;

/// Floating-point operations per second of all `threads` together, in one burst of `length`. A multiply-add counts as two.
///
/// It uses the same instructions as the kernels.
pub fn burst(threads: &Threads, length: Duration) -> f64 {
    let missing = AtomicUsize::new(threads.count());
    let runs = threads.on_each(|| {
        missing.fetch_sub(1, Ordering::Relaxed);
        // Waking a thread takes long compared to a burst: all wait until the last one is there.
        while missing.load(Ordering::Relaxed) > 0 {
            hint::spin_loop();
        }
        let start = Instant::now();
        let mut done = 0;
        while start.elapsed() < length {
            done += compute();
        }
        (start, Instant::now(), done)
    });
    let start = runs.iter().map(|run| run.0).min();
    let end = runs.iter().map(|run| run.1).max();
    let done: u64 = runs.iter().map(|run| run.2).sum();
    let time = end.zip(start).map_or(length, |(end, start)| end - start);
    done as f64 / time.as_secs_f64()
}

/// Computes `LINKS` links of every chain and returns the number of operations.
fn compute() -> u64 {
    simd::run(Chains)
}

struct Chains;

impl Work for Chains {
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> u64 {
        // The compiler must not see that all chains are the same. 1 = 0.5 · 1 + 0.5: the values do not change.
        let half = S::Row::splat(s, black_box(0.5));
        let mut chains = black_box([S::Row::splat(s, 1.0); CHAINS]);
        for _ in 0..LINKS {
            for chain in &mut chains[..S::BUSY] {
                *chain = chain.mul_add(s, half, half);
            }
        }
        black_box(chains);
        2 * (ROW * S::BUSY) as u64 * LINKS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_computes_something_on_any_processor() {
        let threads = Threads::new("cpu-0", 2).unwrap();
        assert!(burst(&threads, Duration::from_millis(1)) > 0.0);
        assert_eq!(Chains.run(simd::Portable), 2 * 16 * 3 * LINKS);
    }
}
