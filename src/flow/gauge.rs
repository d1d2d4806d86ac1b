//! What a channel knows of itself, in atomics that anyone may read while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::stopwatch::Stopwatch;

/// Counts and waiting times of one channel. Waiting for room is charged to the stage before it, waiting for an item to the
/// stage after it; what is left of a worker's time it was busy. A wait that is still going on counts.
#[derive(Debug)]
pub struct ChannelGauge {
    /// The channel's name: that of the message it carries.
    pub name: &'static str,
    /// Most items that can wait in it.
    pub capacity: usize,
    sent: AtomicU64,
    received: AtomicU64,
    pub(super) room: Arc<Stopwatch>,
    pub(super) item: Arc<Stopwatch>,
}

impl ChannelGauge {
    /// A channel that nothing has passed.
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

    /// Items put in so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Items taken out so far.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Time that senders have spent waiting for room, but for those that are counted apart
    /// ([`Outlet::apart`](super::Outlet::apart)).
    pub fn room_wait(&self) -> Duration {
        self.room.total(Instant::now())
    }

    /// Time that receivers have spent waiting for an item.
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
