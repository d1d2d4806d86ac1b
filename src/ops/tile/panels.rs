//! Panels of w and of sums: their places, and how their rows are read and written.
#![allow(
    clippy::inline_always,
    reason = "rows must be loaded in the function that is compiled for the instruction set"
)]

use super::{PANEL, Rows, Start, TOGETHER};
use crate::ops::simd::{Number, Part, Simd};

/// Panels of w or of sums, `[row][16]` each.
#[derive(Clone, Copy, Debug)]
pub struct Panels<D> {
    /// Their memory.
    pub data: D,
    /// Distance from one to the next.
    pub apart: usize,
    /// Number of panels: up to [`TOGETHER`].
    pub count: usize,
}

impl<D: AsRef<[f32]>> Panels<D> {
    /// Checks that they have `rows` rows each.
    #[inline(always)]
    pub(super) fn check(&self, rows: usize) {
        assert!((1..=TOGETHER).contains(&self.count), "one panel or two");
        let (len, last) = (self.data.as_ref().len(), (self.count - 1) * self.apart);
        assert!(
            last <= len && rows <= (len - last) / PANEL,
            "panels longer than their memory"
        );
    }
}

impl Panels<&[f32]> {
    /// The same number of panels, for sums.
    pub fn beside<'a>(&self, data: &'a mut [f32], apart: usize) -> Panels<&'a mut [f32]> {
        Panels {
            data,
            apart,
            count: self.count,
        }
    }
}

impl Rows for Panels<&[f32]> {
    #[inline(always)]
    unsafe fn row<S: Simd>(&self, simd: S, j: usize, panel: usize) -> S::Row {
        let at = panel * self.apart + j * PANEL;
        debug_assert!(at + PANEL <= self.data.len());
        // SAFETY: the caller guarantees sixteen floats there.
        S::Row::load(simd, unsafe { &*self.data.as_ptr().add(at).cast() }, 0)
    }
}

impl Panels<&mut [f32]> {
    /// Writes sums to the rows from `first` on, of the panels from number `panel` on.
    ///
    /// # Safety
    /// The panels must have that many rows.
    #[inline(always)]
    pub(super) unsafe fn write<S: Simd, const P: usize, const C: usize>(
        &mut self,
        simd: S,
        sums: [[S::Row; C]; P],
        first: usize,
        panel: usize,
        start: Start,
    ) {
        for (p, sums) in sums.into_iter().enumerate() {
            for (c, sum) in sums.into_iter().enumerate() {
                let at = (panel + c) * self.apart + (first + p) * PANEL;
                debug_assert!(at + PANEL <= self.data.len());
                // SAFETY: the caller guarantees sixteen floats there.
                let out: &mut [f32; PANEL] = unsafe { &mut *self.data.as_mut_ptr().add(at).cast() };
                let sum = match start {
                    Start::Zero => sum,
                    Start::Sum => S::Row::load(simd, out, 0).add(simd, sum),
                };
                sum.store(simd, out, 0);
            }
        }
    }
}
