//! A gate decides how many workers of a stage take items; the others are parked.
//!
//! Invariant: a parked worker never outlives its stage's data. The gate opens permanently as soon as any worker of the stage
//! ends, for any reason: the end of data, a fault, a panic, a thread that could not be started. At least one worker is never
//! parked, and every ending reaches that worker through its channels.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::stopwatch::Stopwatch;

/// All workers may pass, permanently.
const FOR_ALL: usize = usize::MAX;

/// Lets the first workers of a stage pass, and parks the others.
#[derive(Debug)]
pub struct Gate {
    workers: usize,
    /// How many may pass. Changed only under the lock, so that no waiting worker misses a change.
    open: AtomicUsize,
    lock: Mutex<()>,
    changed: Condvar,
    parked: Stopwatch,
}

/// One worker's way through the gate. It lives as long as the worker: dropping it opens the gate for all.
#[derive(Debug)]
pub struct Entrance {
    gate: Arc<Gate>,
    index: usize,
}

impl Gate {
    /// A gate for `workers` workers, `open` of which may pass.
    pub fn new(workers: usize, open: usize) -> Arc<Self> {
        Arc::new(Self {
            workers,
            open: AtomicUsize::new(open.clamp(1, workers.max(1))),
            lock: Mutex::new(()),
            changed: Condvar::new(),
            parked: Stopwatch::default(),
        })
    }

    /// The entrance of worker `index`.
    pub fn entrance(self: &Arc<Self>, index: usize) -> Entrance {
        Entrance {
            gate: Arc::clone(self),
            index,
        }
    }

    /// Workers of the stage, including parked ones.
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// Workers that may pass.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Acquire).min(self.workers)
    }

    /// Lets the first `open` workers pass, at least one. Has no effect once the gate is permanently open.
    pub fn set_open(&self, open: usize) {
        self.change(|before| {
            if before == FOR_ALL {
                before
            } else {
                open.clamp(1, self.workers.max(1))
            }
        });
    }

    /// Lets all workers pass, permanently.
    pub fn open_for_all(&self) {
        self.change(|_| FOR_ALL);
    }

    /// Time that workers have been parked up to `now`.
    pub fn parked(&self, now: Instant) -> Duration {
        self.parked.total(now)
    }

    fn change(&self, to: impl FnOnce(usize) -> usize) {
        let held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.open
            .store(to(self.open.load(Ordering::Acquire)), Ordering::Release);
        drop(held);
        self.changed.notify_all();
    }
}

impl Entrance {
    /// Waits until the worker may pass.
    pub fn pass(&self) {
        if self.is_open() {
            return;
        }
        let _parked = self.gate.parked.enter();
        let mut held = self.gate.lock.lock().unwrap_or_else(PoisonError::into_inner);
        while !self.is_open() {
            held = self.gate.changed.wait(held).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether the worker may pass at this moment.
    pub fn is_open(&self) -> bool {
        self.index < self.gate.open.load(Ordering::Acquire)
    }
}

impl Drop for Entrance {
    fn drop(&mut self) {
        self.gate.open_for_all();
    }
}
