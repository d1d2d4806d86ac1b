//! Scratch memory: one block of floats for each worker, made once.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// One block for each worker of a pool. Tasks do not nest, so a worker's own block is always free.
#[derive(Debug)]
pub struct Scratch {
    blocks: Vec<Mutex<Vec<f32>>>,
}

impl Scratch {
    /// `floats` for each of `workers`.
    pub fn new(workers: usize, floats: usize) -> Self {
        Self {
            blocks: (0..workers).map(|_| Mutex::new(vec![0.0; floats])).collect(),
        }
    }

    /// The block of `worker`; what it holds is left over from earlier work.
    pub fn of(&self, worker: usize) -> MutexGuard<'_, Vec<f32>> {
        // A panic in another task ends the run anyway; the floats are written before they are read.
        self.blocks[worker].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Memory of all blocks.
    pub fn bytes(&self) -> u64 {
        (0..self.blocks.len())
            .map(|worker| 4 * self.of(worker).len() as u64)
            .sum()
    }
}
