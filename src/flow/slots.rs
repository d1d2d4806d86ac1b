//! Batches being assembled: memory is allocated once, lent row by row, and taken back as a whole.
//!
//! ```text
//! Slot ──lend(n)──▶ Lent + Rows(0..n) ──split──▶ Rows … ──▶ Lent.take_back(rows) … ──▶ Slot
//! ```
//!
//! Invariant: while rows of a slot are lent, each of its bytes is reachable through exactly one [`Rows`]. [`Rows`] cannot be
//! cloned, only split into disjoint parts. [`Lent`] returns the slot only when all rows have been returned.

use std::any::Any;
use std::cell::UnsafeCell;
use std::ops::Range;
use std::sync::Arc;

use crate::memory::{NoMemory, zeroed};

/// Rows begin at a multiple of this in memory, and have whole ones for themselves: pages that a device may register. There are
/// systems with pages of 64 KiB.
const PAGE: usize = 64 << 10;

/// A slot's bytes. They begin at a page, and have whole pages for themselves.
struct Memory {
    /// What is to be dropped before the memory.
    guards: Vec<Box<dyn Any + Send + Sync>>,
    words: Box<[UnsafeCell<u64>]>,
    /// The word at which the rows begin.
    start: usize,
    rows: usize,
    row_bytes: usize,
}

// SAFETY: the cells are reached only through `Slot` (which owns all rows) and `Rows` (each of which owns disjoint rows),
// so no two threads reach the same byte unless both only read. Guards are shared as they are.
unsafe impl Sync for Memory {}

impl Memory {
    fn new(rows: usize, row_bytes: usize) -> Result<Self, NoMemory> {
        // The memory is not touched yet: a page is allocated when its first row is written.
        let pages = row_bytes.saturating_mul(rows).div_ceil(PAGE);
        // One more, so that whole pages lie inside wherever the memory begins.
        let words = zeroed::<u64>("a slot", pages.saturating_add(1).saturating_mul(PAGE / 8))?;
        let words = Box::into_raw(words.into_boxed_slice());
        // SAFETY: the pointer comes from a box, and a cell has the layout of the word in it.
        let words = unsafe { Box::from_raw(words as *mut [UnsafeCell<u64>]) };
        ask_for_large_pages(&words);
        let address = words.as_ptr() as usize;
        Ok(Self {
            guards: Vec::new(),
            start: (address.next_multiple_of(PAGE) - address) / 8,
            words,
            rows,
            row_bytes,
        })
    }

    fn bytes(&self, rows: Range<usize>) -> *mut u8 {
        assert!(rows.end <= self.rows, "rows outside of the slot");
        // SAFETY: the offset lies inside the allocation by the assertion above and the size that `new` asked for.
        unsafe {
            self.words
                .as_ptr()
                .add(self.start)
                .cast::<u8>()
                .cast_mut()
                .add(rows.start * self.row_bytes)
        }
    }
}

/// Asks the system for pages of 2 MiB. Rows are written once and read once, so with small pages every few rows would cost a
/// look-up in the page table. A slot of 77 MB causes 37 page faults instead of 18816.
fn ask_for_large_pages(words: &[UnsafeCell<u64>]) {
    const LARGE: usize = 2 << 20;
    let start = words.as_ptr() as usize;
    let end = start + size_of_val(words);
    let (first, last) = (start.next_multiple_of(LARGE), end - end % LARGE);
    if first < last {
        // SAFETY: these are whole pages inside our own memory, and the advice changes no byte. If ignored, pages are small.
        unsafe { libc::madvise(first as *mut libc::c_void, last - first, libc::MADV_HUGEPAGE) };
    }
}

/// All rows of a batch, none of them lent.
pub struct Slot {
    memory: Arc<Memory>,
}

/// The right to write some consecutive rows of a slot.
pub struct Rows {
    memory: Arc<Memory>,
    range: Range<usize>,
}

/// A slot while its rows are lent.
pub struct Lent {
    slot: Slot,
    away: usize,
}

impl Slot {
    /// Zeroed memory for `rows` rows of `row_bytes` bytes, a multiple of 8.
    pub fn new(rows: usize, row_bytes: usize) -> Result<Self, NoMemory> {
        assert!(row_bytes.is_multiple_of(8), "a row is a whole number of 8-byte words");
        Ok(Self {
            memory: Arc::new(Memory::new(rows, row_bytes)?),
        })
    }

    /// A slot whose row number i is written by `write(i, row)`.
    pub fn filled(rows: usize, row_bytes: usize, mut write: impl FnMut(usize, &mut [u8])) -> Result<Self, NoMemory> {
        let mut slot = Self::new(rows, row_bytes)?;
        let rows = slot.pages().chunks_exact_mut(row_bytes).take(rows);
        rows.enumerate().for_each(|(i, row)| write(i, row));
        Ok(slot)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.memory.rows
    }

    /// The whole pages that its rows lie in, and nothing else does.
    pub fn pages(&mut self) -> &mut [u8] {
        let bytes = (self.rows() * self.memory.row_bytes).next_multiple_of(PAGE);
        // SAFETY: no rows are lent while the slot exists as `Slot`, and it is borrowed alone; `Memory::new` has asked for
        // whole pages and one more.
        unsafe { std::slice::from_raw_parts_mut(self.memory.bytes(0..0), bytes) }
    }

    /// Keeps `guard` as long as the memory, and drops it first.
    pub fn keep(&mut self, guard: Box<dyn Any + Send + Sync>) {
        // Rows that are not lent have no handles.
        match Arc::get_mut(&mut self.memory) {
            Some(memory) => memory.guards.push(guard),
            None => debug_assert!(false, "rows are lent while there is a slot"),
        }
    }

    /// The bytes of the first `rows` rows.
    pub fn bytes(&self, rows: usize) -> &[u8] {
        assert!(rows <= self.rows());
        // SAFETY: no rows are lent while the slot exists as `Slot`, so nobody writes; the length is checked above.
        unsafe { std::slice::from_raw_parts(self.memory.bytes(0..rows), rows * self.memory.row_bytes) }
    }

    /// Lends the first `rows` rows.
    pub fn lend(self, rows: usize) -> (Lent, Rows) {
        assert!(rows <= self.rows() && rows > 0);
        let lent = Rows {
            memory: Arc::clone(&self.memory),
            range: 0..rows,
        };
        (Lent { slot: self, away: rows }, lent)
    }
}

impl Rows {
    /// Splits the first `count` rows from the rest.
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

    /// Which rows of the batch these are.
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
    /// Takes rows back. They must belong to this slot.
    pub fn take_back(&mut self, rows: Rows) {
        assert!(Arc::ptr_eq(&self.slot.memory, &rows.memory), "rows of another slot");
        self.away -= rows.range.len();
    }

    /// Whether all rows have been returned.
    pub fn is_whole(&self) -> bool {
        self.away == 0
    }

    /// The slot, if all rows have been returned.
    pub fn into_slot(self) -> Result<Slot, Lent> {
        if self.is_whole() { Ok(self.slot) } else { Err(self) }
    }
}
