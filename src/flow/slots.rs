//! Batches under assembly: memory made once, lent row by row, taken back whole.
//!
//! ```text
//! Slot ──lend(n)──▶ Lent + Rows(0..n) ──split──▶ Rows … ──▶ Lent.take_back(rows) … ──▶ Slot
//! ```
//!
//! Invariant: while rows of a slot are lent, each byte of it is reachable through exactly one [`Rows`]. [`Rows`] cannot be
//! cloned, only split into disjoint parts; [`Lent`] gives the slot back only when all of them have come home.

use std::cell::UnsafeCell;
use std::ops::Range;
use std::sync::Arc;

/// A slot's bytes, aligned for any element type that a device uses.
struct Memory {
    words: Box<[UnsafeCell<u64>]>,
    row_bytes: usize,
}

// SAFETY: the cells are reached only through `Slot` (which owns all rows) and `Rows` (each of which owns disjoint rows),
// so no two threads reach the same byte unless both only read.
unsafe impl Sync for Memory {}

impl Memory {
    fn bytes(&self, rows: Range<usize>) -> *mut u8 {
        assert!(
            rows.end * self.row_bytes <= self.words.len() * 8,
            "rows outside of the slot"
        );
        // SAFETY: the offset lies inside the allocation by the assertion above.
        unsafe {
            self.words
                .as_ptr()
                .cast::<u8>()
                .cast_mut()
                .add(rows.start * self.row_bytes)
        }
    }
}

/// All rows of a batch, none lent.
pub struct Slot {
    memory: Arc<Memory>,
    rows: usize,
}

/// The right to write some neighbouring rows of a slot.
pub struct Rows {
    memory: Arc<Memory>,
    range: Range<usize>,
}

/// A slot some of whose rows are lent.
pub struct Lent {
    slot: Slot,
    away: usize,
}

impl Slot {
    /// Zeroed memory for `rows` rows of `row_bytes` bytes, a multiple of 8.
    pub fn new(rows: usize, row_bytes: usize) -> Self {
        assert!(row_bytes.is_multiple_of(8), "a row is a whole number of 8-byte words");
        let words = (0..rows * row_bytes / 8).map(|_| UnsafeCell::new(0)).collect();
        Self {
            memory: Arc::new(Memory { words, row_bytes }),
            rows,
        }
    }

    /// Rows that it has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The bytes of the first `rows` rows.
    pub fn bytes(&self, rows: usize) -> &[u8] {
        assert!(rows <= self.rows);
        // SAFETY: no rows are lent while the slot exists as `Slot`, so nobody writes; the length is checked above.
        unsafe { std::slice::from_raw_parts(self.memory.bytes(0..rows), rows * self.memory.row_bytes) }
    }

    /// Lends the first `rows` rows.
    pub fn lend(self, rows: usize) -> (Lent, Rows) {
        assert!(rows <= self.rows && rows > 0);
        let lent = Rows {
            memory: Arc::clone(&self.memory),
            range: 0..rows,
        };
        (Lent { slot: self, away: rows }, lent)
    }
}

impl Rows {
    /// Parts the first `count` rows from the rest.
    pub fn split(self, count: usize) -> (Rows, Option<Rows>) {
        assert!(count > 0 && count <= self.range.len());
        let middle = self.range.start + count;
        let rest = (middle < self.range.end).then(|| Rows {
            memory: Arc::clone(&self.memory),
            range: middle..self.range.end,
        });
        (
            Rows {
                memory: self.memory,
                range: self.range.start..middle,
            },
            rest,
        )
    }

    /// Which rows of the batch.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// The bytes of the `i`-th of these rows.
    pub fn row_mut(&mut self, i: usize) -> &mut [u8] {
        let row = self.range.start + i;
        assert!(row < self.range.end);
        // SAFETY: these rows belong to this `Rows` alone and `&mut self` forbids a second slice; the range is inside the
        // slot because `lend` and `split` only ever shrink it.
        unsafe { std::slice::from_raw_parts_mut(self.memory.bytes(row..row + 1), self.memory.row_bytes) }
    }
}

impl Lent {
    /// Takes rows back; they must be of this slot.
    pub fn take_back(&mut self, rows: Rows) {
        assert!(Arc::ptr_eq(&self.slot.memory, &rows.memory), "rows of another slot");
        self.away -= rows.range.len();
    }

    /// Whether all rows are home.
    pub fn is_whole(&self) -> bool {
        self.away == 0
    }

    /// The slot, if all rows are home.
    pub fn into_slot(self) -> Result<Slot, Lent> {
        if self.is_whole() { Ok(self.slot) } else { Err(self) }
    }
}
