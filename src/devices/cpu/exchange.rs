//! The exchange between CPU devices of one process: each reads the others' memory where it lies, so that nothing is copied
//! but what must be.
//!
//! A collective call is a round. Each rank says where its buffers are and waits until all have said so; then it does what
//! falls to it, and leaves when all are done. In a round a rank writes to its own buffers alone, and never where another
//! rank reads: in `reduce_scatter` it writes its own share, and others read theirs; in `all_gather` it writes the others'
//! shares, and they read its own.

use std::sync::Arc;

use super::Threads;
use super::round::{Place, Rounds};
use crate::devices::exchange::{Exchange, PeerLost, share};
use crate::flow::stopwatch::Stopwatch;

/// Floats of one task.
const PART: usize = 32 * 1024;

/// Floats that are summed together: they stay in the first-level cache.
const BLOCK: usize = 1024;

/// A CPU device's end.
#[derive(Debug)]
pub struct CpuExchange {
    rank: usize,
    rounds: Arc<Rounds>,
    threads: Arc<Threads>,
    waits: Arc<Stopwatch>,
}

impl CpuExchange {
    /// The ends of an exchange between devices, one for each of `threads`, by which the device does its part of the work.
    pub fn between(threads: Vec<Arc<Threads>>) -> Vec<Self> {
        let rounds = Arc::new(Rounds::new(threads.len()));
        let end = |(rank, threads)| Self {
            rank,
            rounds: Arc::clone(&rounds),
            threads,
            waits: Arc::default(),
        };
        threads.into_iter().enumerate().map(end).collect()
    }

    /// Calls `work(places)` for each buffer, where `places` says of each rank where that buffer of its is.
    fn round(&self, buffers: &mut [&mut [f32]], work: impl Fn(&[Place])) -> Result<(), PeerLost> {
        let places: Vec<Place> = buffers.iter_mut().map(|buffer| Place::of(buffer)).collect();
        let count = places.len();
        let round = self.rounds.enter(self.rank, places, &self.waits)?;
        for index in 0..count {
            work(&round.places(index));
        }
        Ok(())
    }

    /// What the ranks have from place `from` on, added in their order; `sums` is this rank's.
    fn sum(&self, places: &[Place], from: usize, sums: &mut [f32]) {
        let mut block = [0.0f32; BLOCK];
        let total = &mut block[..sums.len()];
        for (rank, place) in places.iter().enumerate() {
            let values = if rank == self.rank {
                &*sums
            } else {
                // SAFETY: nobody but this rank writes at its share's places in this round, and that in its own buffer.
                unsafe { place.read(from..from + sums.len()) }
            };
            if rank == 0 {
                total.copy_from_slice(values);
            } else {
                total.iter_mut().zip(values).for_each(|(total, value)| *total += value);
            }
        }
        sums.copy_from_slice(total);
    }
}

impl Exchange for CpuExchange {
    type Buffer = [f32];

    fn rank(&self) -> usize {
        self.rank
    }

    fn ranks(&self) -> usize {
        self.rounds.ranks()
    }

    fn reduce_scatter(&mut self, buffers: &mut [&mut [f32]]) -> Result<(), PeerLost> {
        self.round(buffers, |places| {
            let own = share(places[self.rank].len(), self.rank, places.len());
            // SAFETY: in this round each rank writes nothing but its own share of its own buffer, and nobody reads that.
            let sums = unsafe { places[self.rank].write(own.clone()) };
            self.threads.each_part(sums, PART, |i, sums| {
                for (j, sums) in sums.chunks_mut(BLOCK).enumerate() {
                    self.sum(places, own.start + i * PART + j * BLOCK, sums);
                }
            });
        })
    }

    fn all_gather(&mut self, buffers: &mut [&mut [f32]]) -> Result<(), PeerLost> {
        self.round(buffers, |places| {
            for (rank, place) in places.iter().enumerate().filter(|(rank, _)| *rank != self.rank) {
                let theirs = share(place.len(), rank, places.len());
                // SAFETY: in this round each rank writes the others' shares of its own buffer, and nobody reads those.
                let to = unsafe { places[self.rank].write(theirs.clone()) };
                self.threads.each_part(to, PART, |i, to| {
                    let from = theirs.start + i * PART;
                    // SAFETY: nobody writes a rank's own share of its own buffer in this round.
                    to.copy_from_slice(unsafe { place.read(from..from + to.len()) });
                });
            }
        })
    }

    fn waits(&self) -> Arc<Stopwatch> {
        Arc::clone(&self.waits)
    }
}

impl Drop for CpuExchange {
    fn drop(&mut self) {
        self.rounds.lose();
    }
}
