//! What devices that work on one batch do together. The words are those of MPI and NCCL; shares that are not even, which NCCL's
//! calls do not know, are to be padded there or sent apart.
//!
//! ```text
//! all_reduce       every buffer becomes the sum of the ranks' buffers
//! reduce_scatter   its rank's share of every buffer becomes that sum; the rest is as it was
//! all_gather       every rank's share is copied into the buffers of all
//! step             reduce_scatter of gradients, an update of the share, all_gather of the values
//! ```
//!
//! Every rank makes the same calls in the same order, with as many buffers of the same lengths. Sums are taken in the order
//! of the ranks: rank 0's, plus rank 1's, and so on.
//!
//! Invariant: a rank that is lost (its communicator was dropped) fails whoever waits for it, now or later; nobody hangs.

use std::ops::Range;
use std::sync::Arc;

use crate::flow::fault::{Fault, UpstreamLost};
use crate::flow::stopwatch::Stopwatch;

/// A parameter under a step.
pub struct Sharded<'a, B: ?Sized> {
    /// The sum over this rank's rows. It is used up.
    pub gradient: &'a mut B,
    /// All values, the same on every rank.
    pub value: &'a mut B,
    /// What the solver remembers of this rank's share.
    pub memory: &'a mut B,
}

/// Updates the parameter of that number: `update(number, value, memory, gradient)` on some neighbouring elements.
pub type Update<'a, B> = &'a (dyn Fn(usize, &mut B, &mut B, &B) + Sync);

/// One rank's communicator with the others.
pub trait Communicator: Send {
    /// Memory of a device that takes part.
    type Buffer: ?Sized;

    /// This device's number, from 0.
    fn rank(&self) -> usize;

    /// How many devices there are.
    fn ranks(&self) -> usize;

    /// Every buffer becomes the sum of the ranks' buffers.
    fn all_reduce(&mut self, buffers: &mut [&mut Self::Buffer]) -> Result<(), PeerLost> {
        self.reduce_scatter(buffers)?;
        self.all_gather(buffers)
    }

    /// This rank's [`share`] of every buffer becomes the sum of the ranks' shares of that place; the rest is as it was.
    fn reduce_scatter(&mut self, buffers: &mut [&mut Self::Buffer]) -> Result<(), PeerLost>;

    /// Every rank's [`share`] of every buffer is copied to the same place of the others' buffers.
    fn all_gather(&mut self, buffers: &mut [&mut Self::Buffer]) -> Result<(), PeerLost>;

    /// One step of the solver: of every parameter this rank's share is updated by the sum of the ranks' gradients, and all
    /// ranks come to have all new values. What three calls could do is one, so that memory is passed over as seldom as can be.
    fn step(
        &mut self,
        parameters: &mut [Sharded<'_, Self::Buffer>],
        update: Update<'_, Self::Buffer>,
    ) -> Result<(), PeerLost>;

    /// Time that this rank has waited for others.
    fn waits(&self) -> Arc<Stopwatch>;
}

/// Another rank has ended before its time. What it died of, its own stage tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another device was lost")]
pub struct PeerLost;

impl From<PeerLost> for Fault {
    fn from(PeerLost: PeerLost) -> Self {
        // A loss like any other: never the cause.
        Fault::Upstream(UpstreamLost { channel: "exchange" })
    }
}

/// The part of `len` things that falls to `rank` of `ranks`: neighbours, as even as can be. Of two ranks the first has the
/// one more where `len` is odd.
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
