//! What a hop knows of itself, in atomics that anyone may read while it runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counts and waiting times of one hop. Waiting for room is charged to the stage before it, waiting for an item to the
/// stage after it; what is left of a worker's time it was busy.
#[derive(Debug)]
pub struct HopGauge {
    /// The hop's name: that of the message it carries.
    pub name: &'static str,
    /// Most items that can wait in it.
    pub capacity: usize,
    sent: AtomicU64,
    received: AtomicU64,
    room_wait_ns: AtomicU64,
    item_wait_ns: AtomicU64,
}

impl HopGauge {
    /// A hop that nothing has passed.
    pub fn new(name: &'static str, capacity: usize) -> Self {
        Self {
            name,
            capacity,
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            room_wait_ns: AtomicU64::new(0),
            item_wait_ns: AtomicU64::new(0),
        }
    }

    /// Items put in so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Items taken out so far.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Time that senders have spent waiting for room.
    pub fn room_wait(&self) -> Duration {
        Duration::from_nanos(self.room_wait_ns.load(Ordering::Relaxed))
    }

    /// Time that receivers have spent waiting for an item.
    pub fn item_wait(&self) -> Duration {
        Duration::from_nanos(self.item_wait_ns.load(Ordering::Relaxed))
    }

    pub(super) fn count_sent(&self, waited: Duration) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.room_wait_ns.fetch_add(waited.as_nanos() as u64, Ordering::Relaxed);
    }

    pub(super) fn count_received(&self, waited: Duration) {
        self.received.fetch_add(1, Ordering::Relaxed);
        self.item_wait_ns.fetch_add(waited.as_nanos() as u64, Ordering::Relaxed);
    }
}
