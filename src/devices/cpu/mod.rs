//! The CPU as a device: one owned thread pool, and scratch memory for each of its workers.
//!
//! Work is cut by what it is (rows of the batch, columns of a matrix), never by how many threads there are, so results
//! are the same bits for any number of threads.

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

/// Threads and the scratch memory that their work borrows.
#[derive(Debug)]
pub struct Cpu {
    /// The pool that all operations run in.
    pub threads: Arc<Threads>,
    /// Floats that one task may borrow while it runs.
    pub scratch: Scratch,
}

impl Cpu {
    /// A device over `threads`, with `floats` of scratch for each worker.
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
