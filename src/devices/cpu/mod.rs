//! The CPU as a device: its own thread pool, with scratch memory for each worker.
//!
//! Work is divided by its shape (rows of the batch, columns of a matrix), never by the number of threads, so results have the
//! same bits for any number of threads.

pub mod divide;
pub mod communicator;
mod round;
pub mod row;
pub mod scratch;
pub mod threads;

use std::sync::Arc;

pub use communicator::CpuCommunicator;
pub use divide::{Divide, Parts, Rows};
pub use row::PlanarRows;
pub use scratch::Scratch;
pub use threads::Threads;

use crate::memory::NoMemory;

/// Threads, and the scratch memory that tasks borrow.
#[derive(Debug)]
pub struct Cpu {
    /// The pool that all operations run in.
    pub threads: Arc<Threads>,
    /// Floats that one task may borrow while it runs.
    pub scratch: Scratch,
}

impl Cpu {
    /// A device on `threads`, with `floats` of scratch for each worker.
    pub fn new(threads: Arc<Threads>, floats: usize) -> Result<Self, NoMemory> {
        let scratch = Scratch::new(threads.count(), floats)?;
        Ok(Self { threads, scratch })
    }

    /// Runs `task` for each range of rows with its part of `data`, in parallel.
    pub fn each_range<D: Divide>(
        &self,
        ranges: &[std::ops::Range<usize>],
        data: D,
        task: impl Fn(std::ops::Range<usize>, D) + Sync,
    ) {
        if !ranges.is_empty() {
            self.threads.install(|| divide::each_range(ranges, data, &task));
        }
    }
}
