//! How a batch is cut for parallel work and for sums over it: a function of the batch size alone.

use std::ops::Range;

/// Chunks per half of the batch: four, or eight if they have at least eight rows each. More chunks serve more threads, but each
/// has its own sums of weight gradients, which cost time and memory.
const FEW: usize = 4;
const MANY: usize = 8;
const ROWS: usize = 8;

/// The batch's two halves, each in up to four or eight chunks of consecutive rows.
///
/// A sum over the batch is the sum of the two halves' sums, each of which adds its chunks in order. So two devices with one
/// half each get the same bits as one device with both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunks {
    ranges: Vec<Range<usize>>,
    first_half: usize,
    /// Where the second half begins.
    middle: usize,
    batch: usize,
    longest: usize,
}

impl Chunks {
    /// The chunks of a batch of `batch` rows.
    pub fn new(batch: usize) -> Self {
        let middle = batch.div_ceil(2);
        let size = size(middle);
        let mut ranges = cut(0..middle, size);
        let first_half = ranges.len();
        ranges.extend(cut(middle..batch, size));
        Self {
            longest: ranges.iter().map(ExactSizeIterator::len).max().unwrap_or(0),
            ranges,
            first_half,
            middle,
            batch,
        }
    }

    /// One of the halves as a batch of its own, with rows from 0, and with the same chunks as in the whole. The second half's
    /// chunks may be shorter; `longest` is still that of the whole batch, because the shape of the work depends on it.
    #[must_use]
    pub fn half(&self, second: bool) -> Self {
        let [first_half, second_half] = self.halves();
        let rows = if second { second_half } else { first_half }.len();
        let ranges = cut(0..rows, self.longest.max(1));
        Self {
            first_half: ranges.len(),
            ranges,
            middle: rows,
            batch: rows,
            longest: self.longest,
        }
    }

    /// Rows of the batch.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// The two halves. The second is empty for a batch of 1, and for a batch that is itself a half.
    pub fn halves(&self) -> [Range<usize>; 2] {
        [0..self.middle, self.middle..self.batch]
    }

    /// Number of chunks.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether the batch has no rows.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Number of chunks in the first half.
    pub fn in_first_half(&self) -> usize {
        self.first_half
    }

    /// Rows of the longest chunk; for a half, of the longest chunk of the whole batch.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// The chunks that contain any of the first `rows` rows. They are whole chunks, so the shape of the work stays the same.
    pub fn holding(&self, rows: usize) -> &[Range<usize>] {
        &self.ranges[..self.ranges.iter().take_while(|range| range.start < rows).count()]
    }
}

/// Rows per chunk if the first half, which is never the shorter one, has `half` rows.
fn size(half: usize) -> usize {
    let count = if half >= MANY * ROWS { MANY } else { FEW };
    half.div_ceil(count).max(1)
}

fn cut(half: Range<usize>, size: usize) -> Vec<Range<usize>> {
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
        for batch in 1..300 {
            let chunks = Chunks::new(batch);
            let all: Vec<usize> = chunks.holding(batch).iter().cloned().flatten().collect();
            assert_eq!(all, (0..batch).collect::<Vec<_>>());
            assert!(chunks.len() <= if batch < 127 { 8 } else { 16 });
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

    #[test]
    fn there_are_eight_chunks_or_sixteen() {
        let counts = [8, 64, 96, 126, 127, 128, 129, 143, 256].map(|batch| Chunks::new(batch).len());
        assert_eq!(counts, [8, 8, 8, 8, 16, 16, 16, 16, 16]);
        let longest = [127, 128, 129, 256].map(|batch| Chunks::new(batch).longest());
        assert_eq!(longest, [8, 8, 9, 16]);
    }

    #[test]
    fn halves_are_cut_as_they_are_in_the_whole() {
        for batch in 1..300 {
            let whole = Chunks::new(batch);
            let middle = batch.div_ceil(2);
            let (first, second) = (whole.half(false), whole.half(true));
            let shifted = second.holding(batch).iter().map(|r| r.start + middle..r.end + middle);
            let both: Vec<_> = first.holding(batch).iter().cloned().chain(shifted).collect();
            assert_eq!(both, whole.holding(batch));
            for half in [first, second] {
                assert_eq!(half.longest(), whole.longest());
                assert_eq!(half.halves(), [0..half.batch(), half.batch()..half.batch()]);
                assert_eq!(half.in_first_half(), half.len());
            }
        }
    }
}
