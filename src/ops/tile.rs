//! The inner loop of convolutions and fully connected layers.
//!
//! ```text
//! out[p][l] (+)= Σ over j of x[bases[p] + offsets[j]] · w[j][l],   l < 16
//! ```
//!
//! Forward, p is an output position, j an element of its window and l an output channel. For the weight gradient, p and j are
//! exchanged: p is an element of the window, j an output position, and w holds dy. Both are lists of places, so the loop is the
//! same for any kernel size, stride, padding and number of channels.
//!
//! A *panel* is sixteen l for all j or p. A *tile* is some p of one panel, or of two side by side, whose sums stay in
//! registers:
//!
//! * AVX2: six p of one panel. Of 16 registers, 12 hold sums, two hold w and one holds x. Each j takes 12 fused multiply-adds,
//!   two loads and six broadcasts. At two of either per cycle, the multiply-adds are the limit.
//! * AVX-512: eight p of two panels. Of 32 registers, 16 hold sums, two hold w and one holds x. Each j takes 16 fused
//!   multiply-adds, two loads and eight broadcasts. With one panel there would be as many broadcasts as multiply-adds.
//!
//! Each sum adds its j in order, whatever else is in the tile, so both give the same bits.
#![allow(
    clippy::inline_always,
    reason = "the loop must be inlined into the function that is compiled for the instruction set"
)]

mod maps;
mod panels;

pub use maps::{Blocks, Ending, copy_rows, tiles_from_map, tiles_to_map};
pub use panels::Panels;

use crate::ops::simd::{self, Number, ROW, Simd, Work};

/// Values of l per panel.
pub const PANEL: usize = ROW;

/// The most panels that are processed together.
pub const TOGETHER: usize = 2;

/// Whether sums start from the contents of `out`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// out = Σ.
    Zero,
    /// out += Σ.
    Sum,
}

/// x, and the places of its values.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// The values.
    pub x: &'a [f32],
    /// Where each p begins.
    pub bases: &'a [u32],
    /// Where each j is, relative to that.
    pub offsets: &'a [u32],
}

/// Computes the sum above for any number of `bases` and one or two panels, with the best instructions of this machine.
///
/// # Panics
/// If a place is outside `x`, `w` or `out` is too short, or their numbers of panels differ.
pub fn tiles(x: Places<'_>, w: Panels<&[f32]>, out: Panels<&mut [f32]>, start: Start) {
    simd::run(Tiles { x, w, out, start });
}

/// Checks that the largest of some places, plus `more`, is below `len`.
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
    /// Checks that every base + offset is inside `x`.
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

    /// The sums of `P` bases from `first` on, for `C` panels of `w` from number `panel` on.
    ///
    /// # Safety
    /// There must be that many bases, every base + offset must be inside `x` ([`check`](Self::check)), and `w` must have a row
    /// for each offset in each of the panels.
    #[inline(always)]
    #[allow(
        clippy::needless_range_loop,
        reason = "counted loops over P and C unroll, and sums stay in registers"
    )]
    unsafe fn sums<S: Simd, W: Rows, const P: usize, const C: usize>(
        &self,
        simd: S,
        first: usize,
        w: &W,
        panel: usize,
    ) -> [[S::Row; C]; P] {
        debug_assert!(first + P <= self.bases.len());
        // These arrays are only indexed by unrolled loops: an index known only at run time would move them to memory.
        let mut sums = [[S::Row::splat(simd, 0.0); C]; P];
        let mut row = [S::Row::splat(simd, 0.0); C];
        let mut from = [self.x.as_ptr(); P];
        for p in 0..P {
            // `wrapping_add`, because without offsets nothing is read and the bases were not checked.
            // SAFETY: there are P bases from the first on.
            from[p] = self
                .x
                .as_ptr()
                .wrapping_add(unsafe { *self.bases.get_unchecked(first + p) } as usize);
        }
        for (j, offset) in self.offsets.iter().enumerate() {
            for c in 0..C {
                // SAFETY: w has a row for each offset in each panel.
                row[c] = unsafe { w.row(simd, j, panel + c) };
            }
            for p in 0..P {
                // SAFETY: every base + offset is inside x.
                let x = S::Row::splat(simd, unsafe { *from[p].add(*offset as usize) });
                for c in 0..C {
                    sums[p][c] = x.mul_add(simd, row[c], sums[p][c]);
                }
            }
        }
        sums
    }
}

/// w, by rows of sixteen.
trait Rows {
    /// Row `j` of a panel.
    ///
    /// # Safety
    /// The row must exist.
    unsafe fn row<S: Simd>(&self, simd: S, j: usize, panel: usize) -> S::Row;
}

/// Work that is divided into tiles.
trait Tiled {
    /// Values of p, and panels.
    fn size(&self) -> [usize; 2];

    /// Computes the tile of `P` values of p from `first` on, and `C` panels from number `panel` on.
    ///
    /// # Safety
    /// They must exist.
    unsafe fn tile<S: Simd, const P: usize, const C: usize>(&mut self, simd: S, first: usize, panel: usize);
}

/// All tiles of `work`.
#[inline(always)]
fn each_tile<S: Simd>(simd: S, work: &mut impl Tiled) {
    let [_, panels] = work.size();
    if panels == TOGETHER && S::TALL[1] > 0 {
        return column::<S, TOGETHER>(simd, work, 0);
    }
    for panel in 0..panels {
        column::<S, 1>(simd, work, panel);
    }
}

/// All tiles of `C` panels.
#[inline(always)]
fn column<S: Simd, const C: usize>(simd: S, work: &mut impl Tiled, panel: usize) {
    // Divided evenly: slightly shorter tiles still keep the multipliers busy, very short ones do not.
    let tall = S::TALL[C - 1];
    let [total, _] = work.size();
    let count = total.div_ceil(tall);
    for i in 0..count {
        let (first, end) = (i * total / count, (i + 1) * total / count);
        // `tall` is a constant, so only the tiles of the instruction set are compiled.
        // SAFETY: P is the number of values from the first to the end, which is inside the work, and so are C panels.
        unsafe {
            match end - first {
                1 => work.tile::<S, 1, C>(simd, first, panel),
                2 => work.tile::<S, 2, C>(simd, first, panel),
                3 => work.tile::<S, 3, C>(simd, first, panel),
                4 => work.tile::<S, 4, C>(simd, first, panel),
                5 => work.tile::<S, 5, C>(simd, first, panel),
                6 => work.tile::<S, 6, C>(simd, first, panel),
                7 if tall >= 7 => work.tile::<S, 7, C>(simd, first, panel),
                8 if tall >= 8 => work.tile::<S, 8, C>(simd, first, panel),
                9 if tall >= 9 => work.tile::<S, 9, C>(simd, first, panel),
                10 if tall >= 10 => work.tile::<S, 10, C>(simd, first, panel),
                _ => unreachable!("tiles have up to {tall} rows"),
            }
        }
    }
}

/// The operands of [`tiles`].
struct Tiles<'a> {
    x: Places<'a>,
    w: Panels<&'a [f32]>,
    out: Panels<&'a mut [f32]>,
    start: Start,
}

impl Work for Tiles<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        self.x.check();
        self.w.check(self.x.offsets.len());
        self.out.check(self.x.bases.len());
        assert_eq!(
            self.w.count, self.out.count,
            "the same number of panels of sums and of w"
        );
        each_tile(simd, &mut self);
    }
}

impl Tiled for Tiles<'_> {
    #[inline(always)]
    fn size(&self) -> [usize; 2] {
        [self.x.bases.len(), self.w.count]
    }

    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize, const C: usize>(&mut self, simd: S, first: usize, panel: usize) {
        // SAFETY: `run` has checked the places and both panels; there are P bases and C panels.
        unsafe {
            let sums = self.x.sums::<S, _, P, C>(simd, first, &self.w, panel);
            self.out.write(simd, sums, first, panel, self.start);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::simd::Portable;

    /// The sums by plain code and by every other instruction set of this processor.
    fn by_each(x: Places<'_>, w: Panels<&[f32]>, out: &[f32], apart: usize, start: Start) -> Vec<Vec<f32>> {
        let by = |run: fn(Tiles<'_>)| {
            let mut data = out.to_vec();
            let out = w.beside(&mut data, apart);
            run(Tiles { x, w, out, start });
            data
        };
        let mut found = vec![by(|work| work.run(Portable))];
        #[cfg(target_arch = "x86_64")]
        {
            use crate::ops::simd::{avx2::Avx2, avx512::Avx512};
            if Avx2::detect().is_some() {
                found.push(by(|work| Avx2::detect().unwrap().run(work)));
            }
            if Avx512::detect().is_some() {
                found.push(by(|work| Avx512::detect().unwrap().run(work)));
            }
        }
        found
    }

    #[test]
    fn tiles_of_any_height_agree_and_vectors_of_any_width_have_the_same_bits() {
        let number = |i: usize| ((i * 7919) % 1013) as f32 / 506.0 - 1.0;
        let x: Vec<f32> = (0..400).map(number).collect();
        let lengths = [1, 3, 40, 7, 100, 3, 2, 5, 99, 0, 17, 30, 8];
        for ((rows, length), panels) in (1..).zip(lengths).flat_map(|size| [(size, 1), (size, 2)]) {
            let bases: Vec<u32> = (0..rows).map(|p| p * 37 % 199).collect();
            let offsets: Vec<u32> = (0..length).map(|j| j * 53 % 201).collect();
            let x = Places {
                x: &x,
                bases: &bases,
                offsets: &offsets,
            };
            let [w_apart, out_apart] = [offsets.len() * PANEL + 3, bases.len() * PANEL + 5];
            let w: Vec<f32> = (0..panels * w_apart).map(|i| number(i + 5)).collect();
            let w = Panels {
                data: &w[..],
                apart: w_apart,
                count: panels,
            };
            let out: Vec<f32> = (0..panels * out_apart).map(|i| number(i + 9)).collect();
            for start in [Start::Zero, Start::Sum] {
                let found = by_each(x, w, &out, out_apart, start);
                for vectors in &found[1..] {
                    for (a, b) in vectors.iter().zip(&found[0]) {
                        assert!((a - b).abs() <= 3e-7 * (1.0 + length as f32), "{a} and {b}");
                    }
                    assert_eq!(vectors, &found[1], "{rows} rows of {panels} panels");
                }
            }
        }
    }

    /// One row of one panel with these places.
    fn try_places(base: u32, offset: u32, rows: usize) {
        let x = Places {
            x: &[0.0; 9],
            bases: &[base],
            offsets: &[offset],
        };
        let w = Panels {
            data: &[0.0; 16][..],
            apart: 0,
            count: 1,
        };
        let out = Panels {
            data: &mut [0.0; 16][..rows * PANEL],
            apart: 0,
            count: 1,
        };
        tiles(x, w, out, Start::Zero);
    }

    #[test]
    #[should_panic(expected = "a place beyond the input")]
    fn places_beyond_the_input_are_refused() {
        try_places(4, 5, 1);
    }

    #[test]
    #[should_panic(expected = "panels longer than their memory")]
    fn sums_beyond_their_memory_are_refused() {
        try_places(3, 5, 0);
    }
}
