//! How much disk a run takes: its checkpoints. Events and report are kilobytes beside them.

use super::Plan;
use crate::memory::Bytes;

/// What the checkpoints of a run take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// One checkpoint: weights and momentum.
    pub checkpoint: Bytes,
    /// What there is when the run has ended, or waits to be resumed.
    pub lasting: Bytes,
    /// The most at any moment: a file is written before an old one goes.
    pub most: Bytes,
}

impl Disk {
    /// Of a network with that many parameters, of which the newest `keep` checkpoints are kept, and the best weights where there are
    /// evaluations.
    pub fn new(parameters: u64, keep: usize, has_evaluations: bool) -> Self {
        let weights = Bytes::new(parameters.saturating_mul(size_of::<f32>() as u64));
        let checkpoint = weights * 2;
        let best = if has_evaluations { weights } else { Bytes::default() };
        let lasting = checkpoint * keep + best;
        Self {
            checkpoint,
            lasting,
            most: lasting + checkpoint.max(best),
        }
    }
}

impl Plan {
    /// How much disk the run takes.
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
        assert_eq!(disk.most, Bytes::new(3 * 8000 + 4000));
        assert_eq!(Disk::new(1000, 1, false).most, Bytes::new(16_000));
        assert_eq!(Disk::new(u64::MAX, usize::MAX, true).most, Bytes::new(u64::MAX));
    }
}
