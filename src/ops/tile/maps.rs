//! Tiles whose sums, or whose w, lie in two blocks of a feature map: no panel is written and read between them.
#![allow(
    clippy::inline_always,
    reason = "the loop must become a part of the function that is compiled for the instruction set"
)]

use super::{PANEL, Panel, Places, Rows, Start, Tiled, check, each_tile, write_rows};
use crate::ops::simd::{self, LANES, Lanes, Simd, Work};

/// What is done with a sum before it is written.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    /// Added for each l.
    pub bias: [f32; PANEL],
    /// Whether max(0, sum) is written.
    pub rectify: bool,
}

/// The sum of [`tiles`](super::tiles), plus `bias`, rectified where asked, into two blocks of a feature map: for p, eight l go to
/// `out[places[p]..]`, and the other eight `apart` further on, where that is not 0.
///
/// # Panics
/// Where a place lies outside `x` or `out`, or `w` is too short.
pub fn tiles_to_map(x: Places<'_>, w: &[f32], ending: Ending, places: &[u32], apart: usize, out: &mut [f32]) {
    simd::run(ToMap {
        x,
        w,
        ending,
        places,
        apart,
        out,
    });
}

/// The sum of [`tiles`](super::tiles) added to `out`, with w in two blocks of a feature map: row j is eight floats at
/// `w[places[j]..]`, and the eight `apart` further on.
///
/// # Panics
/// Where a place lies outside `x` or `w`, or `out` is too short.
pub fn tiles_from_map(x: Places<'_>, w: &[f32], places: &[u32], apart: usize, out: &mut [f32]) {
    simd::run(FromMap {
        x,
        w,
        places,
        apart,
        out,
    });
}

/// The operands of [`tiles_to_map`].
struct ToMap<'a> {
    x: Places<'a>,
    w: &'a [f32],
    ending: Ending,
    places: &'a [u32],
    apart: usize,
    out: &'a mut [f32],
}

impl Work for ToMap<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        self.x.check();
        assert!(self.w.len() >= self.x.offsets.len() * PANEL, "too few weights");
        assert!(self.places.len() >= self.x.bases.len(), "too few places");
        assert!(
            self.apart <= self.out.len(),
            "blocks further apart than the map is long"
        );
        check(self.places, self.apart + LANES - 1, self.out.len());
        each_tile(simd, &mut self);
    }
}

impl Tiled for ToMap<'_> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.x.bases.len()
    }

    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize>(&mut self, simd: S, first: usize) {
        // SAFETY: `run` has checked the places and the length of w; there are P bases from the first on.
        let sums = unsafe { self.x.sums::<S, _, P>(simd, first, &Panel(self.w.as_chunks().0)) };
        let [left, right] = self.ending.halves();
        let (left, right) = (simd.load(left), simd.load(right));
        for (p, sums) in sums.into_iter().enumerate() {
            let [mut near, mut far] = [simd.add(sums[0], left), simd.add(sums[1], right)];
            if self.ending.rectify {
                [near, far] = [simd.rectify(near), simd.rectify(far)];
            }
            // SAFETY: `run` has checked that there is a place for each base, and that eight floats lie in out there and `apart`
            // further on.
            unsafe {
                let place = *self.places.get_unchecked(first + p) as usize;
                if self.apart > 0 {
                    simd.store(far, lanes_mut(self.out, place + self.apart));
                }
                simd.store(near, lanes_mut(self.out, place));
            }
        }
    }
}

impl Ending {
    /// The bias of the two blocks.
    #[inline(always)]
    fn halves(&self) -> [&Lanes; 2] {
        let (left, right) = self.bias.split_at(LANES);
        [left, right].map(|half| half.first_chunk().expect("eight of sixteen"))
    }
}

/// The operands of [`tiles_from_map`].
struct FromMap<'a> {
    x: Places<'a>,
    w: &'a [f32],
    places: &'a [u32],
    apart: usize,
    out: &'a mut [f32],
}

/// Rows of two blocks.
struct Pairs<'a> {
    w: &'a [f32],
    places: &'a [u32],
    apart: usize,
}

impl Rows for Pairs<'_> {
    #[inline(always)]
    unsafe fn row<S: Simd>(&self, simd: S, j: usize) -> [S::Vector; 2] {
        // SAFETY: [`FromMap`] has checked that there is a place for each row, and that eight floats lie in w there and `apart`
        // further on.
        unsafe {
            let place = *self.places.get_unchecked(j) as usize;
            [
                simd.load(lanes(self.w, place)),
                simd.load(lanes(self.w, place + self.apart)),
            ]
        }
    }
}

impl Work for FromMap<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        self.x.check();
        assert!(self.places.len() >= self.x.offsets.len(), "too few places");
        assert!(self.apart <= self.w.len(), "blocks further apart than the map is long");
        check(self.places, self.apart + LANES - 1, self.w.len());
        assert!(self.out.len() >= self.x.bases.len() * PANEL, "too little room for sums");
        each_tile(simd, &mut self);
    }
}

impl Tiled for FromMap<'_> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.x.bases.len()
    }

    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize>(&mut self, simd: S, first: usize) {
        let Self { w, places, apart, .. } = *self;
        // SAFETY: `run` has checked all places; there are P bases from the first on.
        let sums = unsafe { self.x.sums::<S, _, P>(simd, first, &Pairs { w, places, apart }) };
        // SAFETY: `run` has checked that out has a row for each base.
        unsafe { write_rows(simd, sums, first, self.out, Start::Sum) };
    }
}

/// # Safety
/// There are eight floats at `place`.
#[inline(always)]
unsafe fn lanes(data: &[f32], place: usize) -> &Lanes {
    debug_assert!(place + LANES <= data.len());
    // SAFETY: as the caller says.
    unsafe { &*data.as_ptr().add(place).cast() }
}

/// # Safety
/// There are eight floats at `place`.
#[inline(always)]
unsafe fn lanes_mut(data: &mut [f32], place: usize) -> &mut Lanes {
    debug_assert!(place + LANES <= data.len());
    // SAFETY: as the caller says.
    unsafe { &mut *data.as_mut_ptr().add(place).cast() }
}
