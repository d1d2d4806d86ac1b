//! Rows of sixteen floats: the unit of the products in `ops/tile.rs` and of Winograd's transforms.
#![allow(
    clippy::inline_always,
    reason = "operations must be inlined into the function that is compiled for the instruction set"
)]

use super::{LANES, Lanes, Vectors};

/// Floats per row.
pub const ROW: usize = 2 * LANES;

/// Some lanes in registers of `S`, with arithmetic.
pub trait Number<S: Vectors>: Copy {
    /// All `x`.
    fn splat(s: S, x: f32) -> Self;
    /// self + b.
    #[must_use]
    fn add(self, s: S, b: Self) -> Self;
    /// self − b.
    #[must_use]
    fn sub(self, s: S, b: Self) -> Self;
    /// self · b.
    #[must_use]
    fn mul(self, s: S, b: Self) -> Self;
    /// self · b + c.
    #[must_use]
    fn mul_add(self, s: S, b: Self, c: Self) -> Self;
}

/// The part of a row that is processed at a time: one of its two vectors, or both.
pub trait Part<S: Vectors>: Number<S> {
    /// Vectors per part.
    const VECTORS: usize;
    /// Parts per row.
    const COUNT: usize = 2 / Self::VECTORS;

    /// Loads part `number` of a row.
    fn load(s: S, row: &[f32; ROW], number: usize) -> Self;
    /// Stores to part `number` of a row.
    fn store(self, s: S, row: &mut [f32; ROW], number: usize);
    /// Joins the first [`VECTORS`](Self::VECTORS) of `vectors`.
    fn join(s: S, vectors: [S::Vector; 2]) -> Self;
    /// Its vectors; if there is only one, it is returned twice.
    fn vectors(self, s: S) -> [S::Vector; 2];
}

impl<S: Vectors, const N: usize> Number<S> for [S::Vector; N] {
    #[inline(always)]
    fn splat(s: S, x: f32) -> Self {
        [s.splat(x); N]
    }
    #[inline(always)]
    fn add(mut self, s: S, b: Self) -> Self {
        for (a, b) in self.iter_mut().zip(b) {
            *a = s.add(*a, b);
        }
        self
    }
    #[inline(always)]
    fn sub(mut self, s: S, b: Self) -> Self {
        for (a, b) in self.iter_mut().zip(b) {
            *a = s.sub(*a, b);
        }
        self
    }
    #[inline(always)]
    fn mul(mut self, s: S, b: Self) -> Self {
        for (a, b) in self.iter_mut().zip(b) {
            *a = s.mul(*a, b);
        }
        self
    }
    #[inline(always)]
    fn mul_add(mut self, s: S, b: Self, c: Self) -> Self {
        for ((a, b), c) in self.iter_mut().zip(b).zip(c) {
            *a = s.mul_add(*a, b, c);
        }
        self
    }
}

impl<S: Vectors> Part<S> for [S::Vector; 1] {
    const VECTORS: usize = 1;

    #[inline(always)]
    fn load(s: S, row: &[f32; ROW], number: usize) -> Self {
        [s.load(&row.as_chunks::<LANES>().0[number])]
    }
    #[inline(always)]
    fn store(self, s: S, row: &mut [f32; ROW], number: usize) {
        s.store(self[0], &mut row.as_chunks_mut::<LANES>().0[number]);
    }
    #[inline(always)]
    fn join(_: S, vectors: [S::Vector; 2]) -> Self {
        [vectors[0]]
    }
    #[inline(always)]
    fn vectors(self, _: S) -> [S::Vector; 2] {
        [self[0]; 2]
    }
}

impl<S: Vectors> Part<S> for [S::Vector; 2] {
    const VECTORS: usize = 2;

    #[inline(always)]
    fn load(s: S, row: &[f32; ROW], _: usize) -> Self {
        let vectors: &[Lanes] = row.as_chunks().0;
        [s.load(&vectors[0]), s.load(&vectors[1])]
    }
    #[inline(always)]
    fn store(self, s: S, row: &mut [f32; ROW], _: usize) {
        for (vector, to) in self.into_iter().zip(row.as_chunks_mut().0) {
            s.store(vector, to);
        }
    }
    #[inline(always)]
    fn join(_: S, vectors: [S::Vector; 2]) -> Self {
        vectors
    }
    #[inline(always)]
    fn vectors(self, _: S) -> [S::Vector; 2] {
        self
    }
}
