//! The total time that threads have been in some state, including those that are in it at this moment.
//!
//! ```text
//! total(now) = Σ leave − Σ enter + inside × now
//! ```
//!
//! One word holds both terms, so entering and leaving are one addition each, and a reader never sees half of an update.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Low bits: Σ leave − Σ enter in microseconds, signed (four years of a thread's time). High bits: threads inside.
const TIME_BITS: u32 = 48;

/// Time that threads have spent in some state.
#[derive(Debug)]
pub struct Stopwatch {
    /// All times are counted from this moment.
    made: Instant,
    word: AtomicU64,
}

/// A thread in the state. It leaves the state when this is dropped.
#[derive(Debug)]
pub struct Inside<'a>(&'a Stopwatch);

impl Default for Stopwatch {
    fn default() -> Self {
        Self {
            made: Instant::now(),
            word: AtomicU64::new(0),
        }
    }
}

impl Stopwatch {
    /// This thread is in the state until the returned guard is dropped.
    pub fn enter(&self) -> Inside<'_> {
        let word = (1 << TIME_BITS) - self.micros(Instant::now());
        self.word.fetch_add(word, Ordering::Relaxed);
        Inside(self)
    }

    /// Time in the state up to `now`, over all threads.
    pub fn total(&self, now: Instant) -> Duration {
        let word = self.word.load(Ordering::Relaxed);
        let unused = u64::BITS - TIME_BITS;
        let settled = ((word << unused) as i64) >> unused;
        let inside = word.wrapping_sub(settled as u64) >> TIME_BITS;
        let total = settled + (inside * self.micros(now)) as i64;
        // Threads that entered after `now` contribute negative time.
        Duration::from_micros(total.max(0) as u64)
    }

    /// Threads in the state.
    pub fn inside(&self) -> u64 {
        let word = self.word.load(Ordering::Relaxed);
        // Rounding removes the borrow of a negative lower part.
        word.wrapping_add(1 << (TIME_BITS - 1)) >> TIME_BITS
    }

    fn micros(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.made).as_micros() as u64
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        let word = self.0.micros(Instant::now()).wrapping_sub(1 << TIME_BITS);
        self.0.word.fetch_add(word, Ordering::Relaxed);
    }
}
