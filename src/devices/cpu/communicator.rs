//! Communicators between the CPU devices of one process. Each reads the others' memory in place, so nothing is copied
//! needlessly.
//!
//! A collective call is a round. Each rank announces where its buffers are and waits for the others to do the same. Then it
//! does its part, and leaves when all ranks are done. In a round no rank writes where another one reads or writes:
//!
//! * `reduce_scatter`: a rank reads its share of all buffers and writes its share of its own buffer.
//! * `all_gather`: a rank reads every other rank's own share and writes it to its own buffer. Nobody writes a rank's own share.
//! * `step`: a rank reads its share of all gradients and writes its share of all values.

use std::ops::Range;
use std::sync::Arc;

use super::Threads;
use super::round::{Place, Rounds};
use crate::devices::communicator::{Communicator, PeerLost, Sharded, Update, share};
use crate::flow::stopwatch::Stopwatch;

/// Floats per task.
const PART: usize = 32 * 1024;

/// Floats that are summed at a time: they stay in the first-level cache.
const BLOCK: usize = 1024;

/// A CPU device's communicator.
#[derive(Debug)]
pub struct CpuCommunicator {
    rank: usize,
    rounds: Arc<Rounds>,
    threads: Arc<Threads>,
    waits: Arc<Stopwatch>,
}

impl CpuCommunicator {
    /// Communicators between devices, one per element of `threads`, on which the device does its part of the work.
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

    /// Calls `work(places)` for each buffer. `places` has the place of that buffer on each rank.
    fn round(&self, buffers: &mut [&mut [f32]], work: impl Fn(&[Place])) -> Result<(), PeerLost> {
        let places: Vec<Place> = buffers.iter_mut().map(|buffer| Place::of(buffer)).collect();
        let count = places.len();
        let round = self.rounds.enter(self.rank, places, &self.waits)?;
        for index in 0..count {
            work(&round.places(index));
        }
        Ok(())
    }
}

/// The sum of the ranks' values from `from` on, in rank order.
///
/// # Safety
/// The round lasts, and nobody writes there meanwhile.
unsafe fn sum(places: &[Place], from: usize, total: &mut [f32]) {
    for (rank, place) in places.iter().enumerate() {
        // SAFETY: as the caller promises.
        let values = unsafe { place.read(from..from + total.len()) };
        if rank == 0 {
            total.copy_from_slice(values);
        } else {
            total.iter_mut().zip(values).for_each(|(total, value)| *total += value);
        }
    }
}

impl Communicator for CpuCommunicator {
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
            let parts = own.len().div_ceil(PART);
            self.threads.each(parts, |part| {
                for from in blocks(&own, part) {
                    let len = BLOCK.min(own.end - from);
                    let mut total = [0.0; BLOCK];
                    // SAFETY: in this round each rank writes only its own share, and only in its own buffer, where nobody else
                    // reads it. This block belongs to this task.
                    unsafe {
                        sum(places, from, &mut total[..len]);
                        places[self.rank].write(from..from + len).copy_from_slice(&total[..len]);
                    }
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

    fn step(&mut self, parameters: &mut [Sharded<'_, [f32]>], update: Update<'_, [f32]>) -> Result<(), PeerLost> {
        let pairs = parameters.iter_mut();
        let places: Vec<Place> = pairs
            .flat_map(|p| [Place::of(p.gradient), Place::of(p.value)])
            .collect();
        let round = self.rounds.enter(self.rank, places, &self.waits)?;
        for (number, parameter) in parameters.iter_mut().enumerate() {
            let (gradients, values) = (round.places(2 * number), round.places(2 * number + 1));
            let own = share(gradients[self.rank].len(), self.rank, gradients.len());
            assert_eq!(
                parameter.memory.len(),
                own.len(),
                "the solver has state for the own share"
            );
            self.threads.each_part(parameter.memory, PART, |part, memory| {
                for (from, memory) in blocks(&own, part).zip(memory.chunks_mut(BLOCK)) {
                    let mut total = [0.0; BLOCK];
                    let gradient = &mut total[..memory.len()];
                    // SAFETY: nobody writes gradients in this round. Only this rank reads and writes its own share of all
                    // values, and this block belongs to this task.
                    unsafe {
                        sum(&gradients, from, gradient);
                        let value = values[self.rank].write(from..from + memory.len());
                        update(number, value, memory, gradient);
                        for place in values.iter().enumerate().filter(|(rank, _)| *rank != self.rank) {
                            place.1.write(from..from + memory.len()).copy_from_slice(value);
                        }
                    }
                }
            });
        }
        Ok(())
    }

    fn waits(&self) -> Arc<Stopwatch> {
        Arc::clone(&self.waits)
    }
}

/// Where the blocks of one part of `own` begin.
fn blocks(own: &Range<usize>, part: usize) -> impl Iterator<Item = usize> + use<> {
    let start = own.start + part * PART;
    (start..own.end.min(start + PART)).step_by(BLOCK)
}

impl Drop for CpuCommunicator {
    fn drop(&mut self) {
        self.rounds.lose();
    }
}
