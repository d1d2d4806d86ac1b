//! How a GPU's memory is divided, decided before any is allocated.

use std::ops::Range;

/// A place in the GPU's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(pub(super) u64);

/// A part of the allocation, in bytes from its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Region {
    pub(super) start: usize,
    pub(super) bytes: usize,
}

impl Region {
    /// Its length in bytes.
    pub fn bytes(self) -> usize {
        self.bytes
    }

    /// A part of it.
    #[must_use]
    pub fn part(self, range: Range<usize>) -> Self {
        assert!(
            range.start <= range.end && range.end <= self.bytes,
            "a part of a region"
        );
        Self {
            start: self.start + range.start,
            bytes: range.len(),
        }
    }
}

/// Divides memory that is not allocated yet into regions.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    bytes: usize,
}

/// Each region begins at a multiple of this, as allocations do: whole lines of the cache, wherever a kernel begins.
pub(super) const ALIGNMENT: usize = 256;

impl Layout {
    /// A region of `bytes` behind those before it.
    pub fn bytes(&mut self, bytes: usize) -> Region {
        let start = self.bytes;
        let rounded = bytes.checked_next_multiple_of(ALIGNMENT).unwrap_or(usize::MAX);
        self.bytes = start.saturating_add(rounded);
        Region { start, bytes }
    }

    /// A region of `count` floats.
    pub fn floats(&mut self, count: usize) -> Region {
        self.bytes(count.saturating_mul(size_of::<f32>()))
    }

    /// The bytes of all regions.
    pub fn total(&self) -> usize {
        self.bytes
    }
}
