//! What the processor could compute at most: multiply-adds that touch nothing but registers.

use std::hint::{self, black_box};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::Threads;

/// Independent chains of multiply-adds: two units, each with a latency of four or five cycles, want ten at least.
const CHAINS: usize = 12;

/// Links of each chain between two looks at the clock: some tens of microseconds.
const LINKS: u64 = 10_000;

/// Floating-point operations a second of all `threads` together, in one burst of `length`; a multiply-add is two.
///
/// With AVX2 and FMA where the processor has them, as the kernels use them; otherwise with whatever vectors the compiler
/// may use everywhere.
pub fn burst(threads: &Threads, length: Duration) -> f64 {
    let missing = AtomicUsize::new(threads.count());
    let runs = threads.on_each(|| {
        missing.fetch_sub(1, Ordering::Relaxed);
        // A thread takes long to wake, beside a burst: nobody begins before the last one is there.
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

/// Does `LINKS` links of every chain and says how many operations that were.
fn compute() -> u64 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the processor has AVX2 and FMA.
        return unsafe { fused() };
    }
    portable()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn fused() -> u64 {
    use std::arch::x86_64::{_mm256_fmadd_ps, _mm256_set1_ps};
    const LANES: u64 = 8;
    // The compiler must not know that all chains are the same. 1 = 0.5 · 1 + 0.5: the numbers stay what they are.
    let (half, one) = (_mm256_set1_ps(black_box(0.5)), _mm256_set1_ps(1.0));
    let mut chains = black_box([one; CHAINS]);
    for _ in 0..LINKS {
        for chain in &mut chains {
            *chain = _mm256_fmadd_ps(*chain, half, half);
        }
    }
    black_box(chains);
    2 * LANES * CHAINS as u64 * LINKS
}

fn portable() -> u64 {
    const LANES: usize = 4;
    let half = black_box(0.5f32);
    let mut chains = black_box([[1.0f32; LANES]; CHAINS]);
    for _ in 0..LINKS {
        for chain in &mut chains {
            for lane in chain {
                *lane = *lane * half + half;
            }
        }
    }
    black_box(chains);
    2 * (LANES * CHAINS) as u64 * LINKS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_computes_something_on_any_processor() {
        let threads = Threads::new("cpu-0", 2).unwrap();
        assert!(burst(&threads, Duration::from_millis(1)) > 0.0);
        assert_eq!(portable(), 2 * 4 * CHAINS as u64 * LINKS);
    }
}
