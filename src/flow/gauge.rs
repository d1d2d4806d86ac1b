//! The counters of a channel. They are atomics, so they can be read while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::stopwatch::Stopwatch;

/// Counts and waiting times of one channel. Waits for room are charged to the stage before it, waits for items to the stage
/// after it. For the rest of its time a worker is busy. A wait that has not ended yet counts, too.
#[derive(Debug)]
pub struct ChannelGauge {
    /// The channel's name: that of the message it carries.
    pub name: &'static str,
    /// The most items that it can hold.
    pub capacity: usize,
    sent: AtomicU64,
    received: AtomicU64,
    pub(super) room: Arc<Stopwatch>,
    pub(super) item: Arc<Stopwatch>,
}

impl ChannelGauge {
    /// All counts are zero.
    pub fn new(name: &'static str, capacity: usize) -> Self {
        Self {
            name,
            capacity,
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            room: Arc::default(),
            item: Arc::default(),
        }
    }

    /// Items sent so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Items received so far.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Time that senders have spent waiting for room, except those that are counted separately
    /// ([`Outlet::apart`](super::Outlet::apart)).
    pub fn room_wait(&self) -> Duration {
        self.room.total(Instant::now())
    }

    /// Time that receivers have spent waiting for items.
    pub fn item_wait(&self) -> Duration {
        self.item.total(Instant::now())
    }

    pub(super) fn count_sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_received(&self) {
        self.received.fetch_add(1, Ordering::Relaxed);
    }
}
