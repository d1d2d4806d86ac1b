//! How many workers of a stage take items; the others are parked.
//!
//! Invariant: a parked worker never outlives its stage's data. The gate opens for good as soon as any worker of the stage
//! ends, whatever the reason: the end of data, a fault, a panic, a thread that could not be started. One worker at least is
//! never parked, and every end reaches that one by its channels.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::stopwatch::Stopwatch;

/// Everybody may pass, and nobody can take that back.
const FOR_ALL: usize = usize::MAX;

/// Lets the first so many workers of a stage pass.
#[derive(Debug)]
pub struct Gate {
    workers: usize,
    /// Changed only under the lock, so that nobody falls asleep over a change.
    open: AtomicUsize,
    lock: Mutex<()>,
    changed: Condvar,
    parked: Stopwatch,
}

/// A worker's right to ask. Its end is the worker's.
#[derive(Debug)]
pub struct Entrance {
    gate: Arc<Gate>,
    index: usize,
}

impl Gate {
    /// A gate before `workers` workers, `open` of which may pass.
    pub fn new(workers: usize, open: usize) -> Arc<Self> {
        Arc::new(Self {
            workers,
            open: AtomicUsize::new(open.clamp(1, workers.max(1))),
            lock: Mutex::new(()),
            changed: Condvar::new(),
            parked: Stopwatch::default(),
        })
    }

    /// The entrance of the worker of that index.
    pub fn entrance(self: &Arc<Self>, index: usize) -> Entrance {
        Entrance {
            gate: Arc::clone(self),
            index,
        }
    }

    /// Workers of the stage, parked ones included.
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// Workers that may pass.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Acquire).min(self.workers)
    }

    /// Lets the first `open` workers pass, one at least. Without effect once the gate is open for good.
    pub fn set_open(&self, open: usize) {
        self.change(|before| {
            if before == FOR_ALL {
                before
            } else {
                open.clamp(1, self.workers.max(1))
            }
        });
    }

    /// Lets everybody pass, for good.
    pub fn open_for_all(&self) {
        self.change(|_| FOR_ALL);
    }

    /// Time that workers have been parked by `now`.
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
    /// Returns at once where the worker may pass, else when it may.
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
