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
    simd::run(Tiles::new(x, bases, offsets, w, out, start));
}

/// The operands, checked.
struct Tiles<'a> {
    x: &'a [f32],
    bases: &'a [u32],
    offsets: &'a [u32],
    w: &'a [f32],
    out: &'a mut [f32],
    start: Start,
}

impl<'a> Tiles<'a> {
    /// Checks that every base + offset lies in `x`, and that `w` and `out` have a row for each offset and each base.
    fn new(x: &'a [f32], bases: &'a [u32], offsets: &'a [u32], w: &'a [f32], out: &'a mut [f32], start: Start) -> Self {
        let furthest = |places: &[u32]| places.iter().copied().max().map_or(0, |place| place as usize);
        let nothing = bases.is_empty() || offsets.is_empty();
        assert!(
            nothing || furthest(bases) + furthest(offsets) < x.len(),
            "a place beyond the input"
        );
        assert!(w.len() >= offsets.len() * PANEL, "too few weights");
        let out = &mut out[..bases.len() * PANEL];
        Self {
            x,
            bases,
            offsets,
            w,
            out,
            start,
        }
    }
}

impl Work for Tiles<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        // As even as they come: tiles of five or four also keep the multipliers busy, shorter ones do not.
        let (total, count) = (self.bases.len(), self.bases.len().div_ceil(TALL));
        let mut rest = self.out;
        for i in 0..count {
            let bases = &self.bases[i * total / count..(i + 1) * total / count];
            let (out, after) = rest.split_at_mut(bases.len() * PANEL);
            rest = after;
            let (x, offsets, w, start) = (self.x, self.offsets, self.w, self.start);
            // SAFETY: every base + offset is inside x, w holds a row for each offset and out one for each base (checked by
            // `new`); the number of bases is the tile's P.
            unsafe {
                match bases.len() {
                    1 => tile::<S, 1>(simd, x, bases, offsets, w, out, start),
                    2 => tile::<S, 2>(simd, x, bases, offsets, w, out, start),
                    3 => tile::<S, 3>(simd, x, bases, offsets, w, out, start),
                    4 => tile::<S, 4>(simd, x, bases, offsets, w, out, start),
                    5 => tile::<S, 5>(simd, x, bases, offsets, w, out, start),
                    _ => tile::<S, TALL>(simd, x, bases, offsets, w, out, start),
                }
            }
        }
    }
}

/// # Safety
/// `bases` and `out` hold `P` and `P` · 16 elements, `w` 16 for each offset, and every base + offset is inside `x`.
#[inline(always)]
#[allow(
    clippy::needless_range_loop,
    reason = "counted loops over P unroll, and sums stay in registers"
)]
unsafe fn tile<S: Simd, const P: usize>(
    simd: S,
    x: &[f32],
    bases: &[u32],
    offsets: &[u32],
    w: &[f32],
    out: &mut [f32],
    start: Start,
) {
    debug_assert!(bases.len() == P && out.len() == P * PANEL && w.len() >= offsets.len() * PANEL);
    // Arrays that are only ever indexed by unrolled loops: an index known at run time would put them in memory.
    let mut sums = [[simd.splat(0.0); 2]; P];
    let mut from = [x.as_ptr(); P];
    for p in 0..P {
        // SAFETY: there are P bases, and each lies inside x.
        from[p] = unsafe { x.as_ptr().add(*bases.get_unchecked(p) as usize) };
    }
    let rows = w.as_chunks::<LANES>().0.as_chunks::<2>().0;
    for (offset, [left, right]) in offsets.iter().zip(rows) {
        let (left, right) = (simd.load(left), simd.load(right));
        for p in 0..P {
            // SAFETY: every base + offset lies inside x.
            let x = simd.splat(unsafe { *from[p].add(*offset as usize) });
            sums[p][0] = simd.mul_add(x, left, sums[p][0]);
            sums[p][1] = simd.mul_add(x, right, sums[p][1]);
        }
    }
    let out = out.as_chunks_mut::<LANES>().0;
    for p in 0..P {
        for half in 0..2 {
            // SAFETY: out holds two vectors for each of P.
            let out: &mut Lanes = unsafe { out.get_unchecked_mut(2 * p + half) };
            let sum = match start {
                Start::Zero => sums[p][half],
                Start::Sum => simd.add(simd.load(out), sums[p][half]),
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
                Tiles::new(&x, &bases, &offsets, &w, &mut twin, start).run(Portable);
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
