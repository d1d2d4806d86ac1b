//! The one inner loop of convolutions and of fully connected layers.
//!
//! ```text
//! out[p][l] (+)= Σ over j of x[bases[p] + offsets[j]] · w[j][l],   l < 16
//! ```
//!
//! Forward, p is an output position, j an element of its window and l an output channel; for the weight gradient p and j
//! change places (p is an element of the window, j an output position, and w holds dy). Since both are lists of places,
//! any kernel size, stride, padding and number of channels is the same loop.
//!
//! A tile is six p × two vectors of eight l: 12 sums, two vectors of w and one value of x fill 15 of the 16 registers
//! of AVX2. Each j takes 12 fused multiply-adds, two loads and six broadcasts: at two of either per cycle, the
//! multiply-adds are what limits it.
#![allow(
    clippy::inline_always,
    reason = "the loop must become a part of the function that is compiled for the instruction set"
)]

mod maps;

pub use maps::{Ending, tiles_from_map, tiles_to_map};

use crate::ops::simd::{self, LANES, Lanes, Simd, Work};

/// Values of l: two vectors of eight.
pub const PANEL: usize = 2 * LANES;

/// Values of p in a tile, at most.
const TALL: usize = 6;

/// Whether sums start from what `out` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// out = Σ.
    Zero,
    /// out += Σ.
    Sum,
}

/// The sum above for any number of `bases`, by the best instructions of this machine.
///
/// # Panics
/// Where a place lies outside `x`, or `w` or `out` is too short.
pub fn tiles(x: &[f32], bases: &[u32], offsets: &[u32], w: &[f32], out: &mut [f32], start: Start) {
    let x = Places { x, bases, offsets };
    simd::run(Tiles { x, w, out, start });
}

/// x, and which of it is multiplied.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// The values.
    pub x: &'a [f32],
    /// Where p begins.
    pub bases: &'a [u32],
    /// Where j is from there.
    pub offsets: &'a [u32],
}

/// The furthest of some places, and what lies `more` beyond it, must be one of `len`.
#[inline(always)]
fn check(places: &[u32], more: usize, len: usize) {
    let mut furthest = 0;
    for place in places {
        furthest = furthest.max(*place);
    }
    assert!(
        places.is_empty() || more < len && (furthest as usize) < len - more,
        "a place beyond the input"
    );
}

impl Places<'_> {
    /// Checks that every base + offset lies in `x`.
    #[inline(always)]
    fn check(&self) {
        let mut furthest = 0;
        for offset in self.offsets {
            furthest = furthest.max(*offset);
        }
        if !self.offsets.is_empty() {
            check(self.bases, furthest as usize, self.x.len());
        }
    }

    /// The sums of `P` bases from the `first` on.
    ///
    /// # Safety
    /// There are as many bases, every base + offset is inside `x` ([`check`](Self::check)), and `w` has a row for each offset.
    #[inline(always)]
    #[allow(
        clippy::needless_range_loop,
        reason = "counted loops over P unroll, and sums stay in registers"
    )]
    unsafe fn sums<S: Simd, W: Rows, const P: usize>(&self, simd: S, first: usize, w: &W) -> [[S::Vector; 2]; P] {
        debug_assert!(first + P <= self.bases.len());
        // Arrays that are only ever indexed by unrolled loops: an index known at run time would put them in memory.
        let mut sums = [[simd.splat(0.0); 2]; P];
        let mut from = [self.x.as_ptr(); P];
        for p in 0..P {
            // Wrapping: without offsets nothing is read, and the bases were not checked.
            // SAFETY: there are P bases from the first on.
            from[p] = self
                .x
                .as_ptr()
                .wrapping_add(unsafe { *self.bases.get_unchecked(first + p) } as usize);
        }
        for (j, offset) in self.offsets.iter().enumerate() {
            // SAFETY: w has a row for each offset.
            let [left, right] = unsafe { w.row(simd, j) };
            for p in 0..P {
                // SAFETY: every base + offset lies inside x.
                let x = simd.splat(unsafe { *from[p].add(*offset as usize) });
                sums[p][0] = simd.mul_add(x, left, sums[p][0]);
                sums[p][1] = simd.mul_add(x, right, sums[p][1]);
            }
        }
        sums
    }
}

/// w, by rows of sixteen.
trait Rows {
    /// Row `j`.
    ///
    /// # Safety
    /// There is one.
    unsafe fn row<S: Simd>(&self, simd: S, j: usize) -> [S::Vector; 2];
}

/// Rows one after another.
struct Panel<'a>(&'a [Lanes]);

impl Rows for Panel<'_> {
    #[inline(always)]
    unsafe fn row<S: Simd>(&self, simd: S, j: usize) -> [S::Vector; 2] {
        debug_assert!(2 * j + 1 < self.0.len());
        // SAFETY: row j is two vectors.
        unsafe {
            [
                simd.load(self.0.get_unchecked(2 * j)),
                simd.load(self.0.get_unchecked(2 * j + 1)),
            ]
        }
    }
}

/// Something to compute by tiles.
trait Tiled {
    /// Values of p.
    fn len(&self) -> usize;

    /// The tile of `P` values of p from the `first` on.
    ///
    /// # Safety
    /// There are as many.
    unsafe fn tile<S: Simd, const P: usize>(&mut self, simd: S, first: usize);
}

/// All tiles of `work`.
#[inline(always)]
fn each_tile<S: Simd>(simd: S, work: &mut impl Tiled) {
    // As even as they come: tiles of five or four also keep the multipliers busy, shorter ones do not.
    let (total, count) = (work.len(), work.len().div_ceil(TALL));
    for i in 0..count {
        let (first, end) = (i * total / count, (i + 1) * total / count);
        // SAFETY: the tile's P is how many there are from the first to the end, which lies in the work.
        unsafe {
            match end - first {
                1 => work.tile::<S, 1>(simd, first),
                2 => work.tile::<S, 2>(simd, first),
                3 => work.tile::<S, 3>(simd, first),
                4 => work.tile::<S, 4>(simd, first),
                5 => work.tile::<S, 5>(simd, first),
                _ => work.tile::<S, TALL>(simd, first),
            }
        }
    }
}

/// The operands of [`tiles`].
struct Tiles<'a> {
    x: Places<'a>,
    w: &'a [f32],
    out: &'a mut [f32],
    start: Start,
}

impl Work for Tiles<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        self.x.check();
        assert!(self.w.len() >= self.x.offsets.len() * PANEL, "too few weights");
        assert!(self.out.len() >= self.x.bases.len() * PANEL, "too little room for sums");
        each_tile(simd, &mut self);
    }
}

impl Tiled for Tiles<'_> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.x.bases.len()
    }

    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize>(&mut self, simd: S, first: usize) {
        // SAFETY: `run` has checked the places and the length of w; there are P bases from the first on.
        let sums = unsafe { self.x.sums::<S, _, P>(simd, first, &Panel(self.w.as_chunks().0)) };
        // SAFETY: `run` has checked that out has a row for each base.
        unsafe { write_rows(simd, sums, first, self.out, self.start) };
    }
}

/// Sums to rows of sixteen from the `first` on.
///
/// # Safety
/// `out` has as many.
#[inline(always)]
unsafe fn write_rows<S: Simd, const P: usize>(
    simd: S,
    sums: [[S::Vector; 2]; P],
    first: usize,
    out: &mut [f32],
    start: Start,
) {
    let out = out.as_chunks_mut::<LANES>().0;
    debug_assert!(out.len() >= 2 * (first + P));
    for (p, sums) in sums.into_iter().enumerate() {
        for (half, sum) in sums.into_iter().enumerate() {
            // SAFETY: out has two vectors for each row.
            let out: &mut Lanes = unsafe { out.get_unchecked_mut(2 * (first + p) + half) };
            let sum = match start {
                Start::Zero => sum,
                Start::Sum => simd.add(simd.load(out), sum),
            };
            simd.store(sum, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::simd::Portable;

    #[test]
    fn the_fastest_tiles_agree_with_the_portable_ones() {
        let number = |i: usize| ((i * 7919) % 1013) as f32 / 506.0 - 1.0;
        let x: Vec<f32> = (0..400).map(number).collect();
        for (count, length) in [(1, 1), (2, 3), (3, 40), (5, 7), (7, 100), (13, 99), (36, 0)] {
            let bases: Vec<u32> = (0..count).map(|p| p * 37 % 199).collect();
            let offsets: Vec<u32> = (0..length).map(|j| j * 53 % 201).collect();
            let w: Vec<f32> = (0..offsets.len() * PANEL).map(|i| number(i + 5)).collect();
            for start in [Start::Zero, Start::Sum] {
                let mut ours: Vec<f32> = (0..bases.len() * PANEL).map(|i| number(i + 9)).collect();
                let mut twin = ours.clone();
                tiles(&x, &bases, &offsets, &w, &mut ours, start);
                let places = Places {
                    x: &x,
                    bases: &bases,
                    offsets: &offsets,
                };
                let (w, out) = (&w[..], &mut twin[..]);
                Tiles {
                    x: places,
                    w,
                    out,
                    start,
                }
                .run(Portable);
                for (a, b) in ours.iter().zip(&twin) {
                    assert!((a - b).abs() <= 3e-7 * (1.0 + length as f32), "{a} and {b}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "a place beyond the input")]
    fn places_beyond_the_input_are_refused() {
        tiles(&[0.0; 9], &[4], &[5], &[0.0; 16], &mut [0.0; 16], Start::Zero);
    }
}
