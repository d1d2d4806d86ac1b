//! How a batch is cut for parallel work and for sums over it: a function of the batch alone.

use std::ops::Range;

/// Chunks of one half of the batch.
const PER_HALF: usize = 4;

/// The batch's two halves, each in up to four chunks of neighbouring rows.
///
/// A sum over the batch is the sum of the two halves' sums, each of which adds its chunks in order. So two devices that
/// take a half each arrive at the same bits as one device that takes both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunks {
    ranges: Vec<Range<usize>>,
    first_half: usize,
    batch: usize,
}

impl Chunks {
    /// The chunks of a batch of `batch` rows.
    pub fn new(batch: usize) -> Self {
        let middle = batch.div_ceil(2);
        let mut ranges = cut(0..middle);
        let first_half = ranges.len();
        ranges.extend(cut(middle..batch));
        Self {
            ranges,
            first_half,
            batch,
        }
    }

    /// Rows of the batch.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// The two halves (the second is empty for a batch of 1).
    pub fn halves(&self) -> [Range<usize>; 2] {
        let middle = self.batch.div_ceil(2);
        [0..middle, middle..self.batch]
    }

    /// How many chunks there are.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether the batch has no rows.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many of the chunks are in the first half.
    pub fn in_first_half(&self) -> usize {
        self.first_half
    }

    /// The most rows that a chunk has.
    pub fn longest(&self) -> usize {
        self.ranges.iter().map(ExactSizeIterator::len).max().unwrap_or(0)
    }

    /// The chunks that hold any of the first `rows` rows: whole chunks, so that the shape of the work stays the same.
    pub fn holding(&self, rows: usize) -> &[Range<usize>] {
        &self.ranges[..self.ranges.iter().take_while(|range| range.start < rows).count()]
    }
}

fn cut(half: Range<usize>) -> Vec<Range<usize>> {
    let size = half.len().div_ceil(PER_HALF).max(1);
    half.clone()
        .step_by(size)
        .map(|start| start..(start + size).min(half.end))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_each_row_once_and_never_cross_the_middle() {
        for batch in 1..70 {
            let chunks = Chunks::new(batch);
            let all: Vec<usize> = chunks.holding(batch).iter().cloned().flatten().collect();
            assert_eq!(all, (0..batch).collect::<Vec<_>>());
            assert!(chunks.len() <= 8);
            let middle = batch.div_ceil(2);
            assert!(
                chunks
                    .holding(batch)
                    .iter()
                    .all(|r| r.end <= middle || r.start >= middle)
            );
            assert_eq!(chunks.holding(middle).len(), chunks.in_first_half());
        }
    }
}
