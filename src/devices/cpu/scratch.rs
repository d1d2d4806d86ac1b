//! Scratch memory: one block of floats for each worker, allocated once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::memory::{Bytes, NoMemory, zeroed};

/// One block for each worker of a pool. Tasks are not nested, so a worker's own block is always free.
#[derive(Debug)]
pub struct Scratch {
    blocks: Vec<Mutex<Vec<f32>>>,
}

impl Scratch {
    /// `floats` for each of `workers`.
    pub fn new(workers: usize, floats: usize) -> Result<Self, NoMemory> {
        let blocks = (0..workers).map(|_| Ok(Mutex::new(zeroed("scratch", floats)?)));
        Ok(Self {
            blocks: blocks.collect::<Result<_, _>>()?,
        })
    }

    /// The block of `worker`. It contains leftovers of earlier work.
    pub fn of(&self, worker: usize) -> MutexGuard<'_, Vec<f32>> {
        // A panic in another task ends the run anyway; the floats are written before they are read.
        self.blocks[worker].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Memory of all blocks.
    pub fn bytes(&self) -> Bytes {
        let workers = 0..self.blocks.len();
        workers.map(|worker| Bytes::of::<f32>(self.of(worker).len())).sum()
    }
}
