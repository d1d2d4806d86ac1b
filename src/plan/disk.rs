//! The disk space of a run's checkpoints. Events and report take only kilobytes.

use super::Plan;
use crate::memory::Bytes;

/// The disk space of a run's checkpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// One checkpoint: weights and momentum.
    pub checkpoint: Bytes,
    /// The space after the run has ended, or while it waits to be resumed.
    pub lasting: Bytes,
    /// The peak: a new file is written before an old one is removed.
    pub peak: Bytes,
}

impl Disk {
    /// The space for a network with this many parameters. The newest `keep` checkpoints are kept, and the best weights if
    /// there are evaluations.
    pub fn new(parameters: u64, keep: usize, has_evaluations: bool) -> Self {
        let weights = Bytes::new(parameters.saturating_mul(size_of::<f32>() as u64));
        let checkpoint = weights * 2;
        let best = if has_evaluations { weights } else { Bytes::default() };
        let lasting = checkpoint * keep + best;
        Self {
            checkpoint,
            lasting,
            peak: lasting + checkpoint + best,
        }
    }
}

impl Plan {
    /// The disk space of the run.
    pub fn disk(&self) -> Disk {
        let has_evaluations = self.itinerary.val_samples > 0;
        Disk::new(
            self.model.spec.parameters() as u64,
            self.config.checkpoint.keep.get(),
            has_evaluations,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_count_once_and_checkpoints_twice() {
        let disk = Disk::new(1000, 2, true);
        assert_eq!(disk.checkpoint, Bytes::new(8000));
        assert_eq!(disk.lasting, Bytes::new(2 * 8000 + 4000));
        assert_eq!(disk.peak, Bytes::new(3 * 8000 + 2 * 4000));
        assert_eq!(Disk::new(1000, 1, false).peak, Bytes::new(16_000));
        assert_eq!(Disk::new(u64::MAX, usize::MAX, true).peak, Bytes::new(u64::MAX));
    }
}
