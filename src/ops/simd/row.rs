//! Rows of sixteen floats: what the products of `ops/tile.rs` are made of.
#![allow(
    clippy::inline_always,
    reason = "operations must become a part of the function that is compiled for the instruction set"
)]

use super::{LANES, Lanes, Vectors};

/// Floats of a row.
pub const ROW: usize = 2 * LANES;

/// Sixteen floats in registers of `S`.
pub trait Row<S: Vectors>: Copy {
    /// All `x`.
    fn splat(s: S, x: f32) -> Self;
    /// From memory.
    fn load(s: S, from: &[f32; ROW]) -> Self;
    /// To memory.
    fn store(self, s: S, to: &mut [f32; ROW]);
    /// Two vectors side by side.
    fn join(s: S, halves: [S::Vector; 2]) -> Self;
    /// The vectors that it is made of.
    fn halves(self, s: S) -> [S::Vector; 2];
    /// self + b.
    fn add(self, s: S, b: Self) -> Self;
    /// self · b + c.
    fn mul_add(self, s: S, b: Self, c: Self) -> Self;
}

impl<S: Vectors> Row<S> for [S::Vector; 2] {
    #[inline(always)]
    fn splat(s: S, x: f32) -> Self {
        [s.splat(x); 2]
    }
    #[inline(always)]
    fn load(s: S, from: &[f32; ROW]) -> Self {
        let (left, right) = halves(from);
        [s.load(left), s.load(right)]
    }
    #[inline(always)]
    fn store(self, s: S, to: &mut [f32; ROW]) {
        let (left, right) = to.split_at_mut(LANES);
        for (vector, to) in self.into_iter().zip([left, right]) {
            s.store(vector, to.first_chunk_mut().expect("half of a row"));
        }
    }
    #[inline(always)]
    fn join(_: S, halves: [S::Vector; 2]) -> Self {
        halves
    }
    #[inline(always)]
    fn halves(self, _: S) -> [S::Vector; 2] {
        self
    }
    #[inline(always)]
    fn add(self, s: S, b: Self) -> Self {
        [s.add(self[0], b[0]), s.add(self[1], b[1])]
    }
    #[inline(always)]
    fn mul_add(self, s: S, b: Self, c: Self) -> Self {
        [s.mul_add(self[0], b[0], c[0]), s.mul_add(self[1], b[1], c[1])]
    }
}

/// The two vectors of a row in memory.
#[inline(always)]
fn halves(row: &[f32; ROW]) -> (&Lanes, &Lanes) {
    let (left, right) = row.split_at(LANES);
    (
        left.first_chunk().expect("half of a row"),
        right.first_chunk().expect("half of a row"),
    )
}
