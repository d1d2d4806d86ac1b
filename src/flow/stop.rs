//! A request to stop that all workers can see.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Shared by the source, which stops lending rows, and the compute stage, which finishes its step and saves.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks the run to end after the current step.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether a stop was requested.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
