//! Collective operations of the devices that work on one batch, with the names of MPI and NCCL. Shares may be uneven, which
//! NCCL's collectives do not support: there, shares have to be padded or sent separately.
//!
//! ```text
//! all_reduce       every buffer becomes the sum of the ranks' buffers
//! reduce_scatter   a rank's share of every buffer becomes that sum; the rest does not change
//! all_gather       every rank's share is copied into the buffers of all ranks
//! step             reduce_scatter of gradients, update of the share, all_gather of the values
//! ```
//!
//! All ranks make the same calls in the same order, with the same number of buffers of the same lengths. Sums are computed in
//! rank order: rank 0's values, plus rank 1's, and so on.
//!
//! Invariant: when a rank is lost (its communicator is dropped), all ranks that wait for it, now or later, get an error. None
//! hangs.

use std::ops::Range;
use std::sync::Arc;

use crate::flow::fault::{Fault, UpstreamLost};
use crate::flow::stopwatch::Stopwatch;

/// A parameter in a solver step.
pub struct Sharded<'a, B: ?Sized> {
    /// The sum over this rank's rows. Its contents are overwritten.
    pub gradient: &'a mut B,
    /// All values, the same on every rank.
    pub value: &'a mut B,
    /// The solver's state for this rank's share.
    pub memory: &'a mut B,
}

/// Updates some consecutive elements of parameter `number`: `update(number, value, memory, gradient)`.
pub type Update<'a, B> = &'a (dyn Fn(usize, &mut B, &mut B, &B) + Sync);

/// One rank's connection to the others.
pub trait Communicator: Send {
    /// Memory of a participating device.
    type Buffer: ?Sized;

    /// This device's rank, from 0.
    fn rank(&self) -> usize;

    /// Number of devices.
    fn ranks(&self) -> usize;

    /// Every buffer becomes the sum of the ranks' buffers.
    fn all_reduce(&mut self, buffers: &mut [&mut Self::Buffer]) -> Result<(), PeerLost> {
        self.reduce_scatter(buffers)?;
        self.all_gather(buffers)
    }

    /// This rank's [`share`] of every buffer becomes the sum of all ranks' values there. The rest does not change.
    fn reduce_scatter(&mut self, buffers: &mut [&mut Self::Buffer]) -> Result<(), PeerLost>;

    /// Copies every rank's [`share`] of every buffer to the same place in the other ranks' buffers.
    fn all_gather(&mut self, buffers: &mut [&mut Self::Buffer]) -> Result<(), PeerLost>;

    /// One step of the solver: updates this rank's share of every parameter with the sum of all ranks' gradients, and copies
    /// the new values to all ranks. One call instead of three, so that memory is traversed only once.
    fn step(
        &mut self,
        parameters: &mut [Sharded<'_, Self::Buffer>],
        update: Update<'_, Self::Buffer>,
    ) -> Result<(), PeerLost>;

    /// Time that this rank has waited for the others.
    fn waits(&self) -> Arc<Stopwatch>;
}

/// Another rank has ended early. Its own stage reports the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another device was lost")]
pub struct PeerLost;

impl From<PeerLost> for Fault {
    fn from(PeerLost: PeerLost) -> Self {
        // A loss like any other, and never the cause.
        Fault::Upstream(UpstreamLost { channel: "exchange" })
    }
}

/// The share of `rank` in `len` elements: consecutive elements, divided as evenly as possible. Of two ranks, the first has the
/// extra element if `len` is odd.
pub fn share(len: usize, rank: usize, ranks: usize) -> Range<usize> {
    let start = |rank: usize| (len * rank).div_ceil(ranks);
    start(rank)..start(rank + 1)
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn shares_follow_one_another_and_are_even() {
        for ranks in 1..6 {
            for len in 0..40 {
                let shares: Vec<_> = (0..ranks).map(|rank| share(len, rank, ranks)).collect();
                assert!(shares.iter().cloned().flatten().eq(0..len));
                let lens = || shares.iter().map(ExactSizeIterator::len);
                assert!(lens().max().unwrap() - lens().min().unwrap() <= 1, "{shares:?}");
            }
        }
        assert_eq!(share(15, 0, 2), 0..8);
    }
}
