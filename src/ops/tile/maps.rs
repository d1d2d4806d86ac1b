//! Tiles whose sums or whose w are in blocks of a feature map, so that no panel is written and read in between.
#![allow(
    clippy::inline_always,
    reason = "the loop must be inlined into the function that is compiled for the instruction set"
)]

use super::{PANEL, Panels, Places, Rows, Start, TOGETHER, Tiled, check, each_tile};
use crate::ops::simd::{self, LANES, Lanes, Part, Simd, Work};

/// Blocks of a feature map, of eight l each. A panel is two adjacent blocks; the last panel may have only one.
#[derive(Clone, Copy, Debug)]
pub struct Blocks<'p, D> {
    /// The map.
    pub data: D,
    /// Where the eight l of each p, or of each j, are in the first block.
    pub places: &'p [u32],
    /// Distance from one block to the next.
    pub apart: usize,
    /// Number of blocks: up to two for each of [`TOGETHER`] panels.
    pub count: usize,
}

/// Blocks of the panels that are processed together.
const MOST: usize = 2 * TOGETHER;

impl<D: AsRef<[f32]>> Blocks<'_, D> {
    /// Checks that there are `rows` places, and that every block has eight floats at each.
    #[inline(always)]
    fn check(&self, rows: usize) {
        assert!((1..=MOST).contains(&self.count), "blocks of one panel or two");
        assert!(self.places.len() >= rows, "too few places");
        let len = self.data.as_ref().len();
        assert!(self.apart <= len, "blocks further apart than the map is long");
        check(self.places, (self.count - 1) * self.apart + LANES - 1, len);
    }

    #[inline(always)]
    fn panels(&self) -> usize {
        self.count.div_ceil(2)
    }
}

/// What is done with a sum before it is written.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    /// Whether it is added to the contents of the map.
    pub start: Start,
    /// Added for each l.
    pub bias: [Lanes; MOST],
    /// Whether max(0, sum) is written.
    pub rectify: bool,
}

/// Writes the sum of [`tiles`](super::tiles), with `ending`, to blocks of a feature map.
///
/// # Panics
/// If a place is outside `x` or `out`, or `w` is too short.
pub fn tiles_to_map(x: Places<'_>, w: Panels<&[f32]>, ending: Ending, out: Blocks<'_, &mut [f32]>) {
    simd::run(ToMap { x, w, ending, out });
}

/// Adds the sum of [`tiles`](super::tiles) to `out`, with w in blocks of a feature map. The sums for missing l of the last
/// panel are meaningless.
///
/// # Panics
/// If a place is outside `x` or `w`, or `out` is too short.
pub fn tiles_from_map(x: Places<'_>, w: Blocks<'_, &[f32]>, out: Panels<&mut [f32]>) {
    simd::run(FromMap { x, w, out });
}

/// Copies the first `rows` rows of blocks of a feature map into panels, `[row][16]`, one after another.
///
/// # Panics
/// If a place is outside `from`, there are no blocks or too many, or `to` is too short.
pub fn copy_rows<'t>(from: Blocks<'_, &[f32]>, rows: usize, to: &'t mut [f32]) -> Panels<&'t [f32]> {
    let (apart, count) = (rows * PANEL, from.panels());
    let to = &mut to[..count * apart];
    simd::run(CopyRows {
        from,
        rows,
        to: &mut *to,
    });
    Panels { data: to, apart, count }
}

/// The operands of [`copy_rows`].
struct CopyRows<'a> {
    from: Blocks<'a, &'a [f32]>,
    rows: usize,
    to: &'a mut [f32],
}

impl Work for CopyRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (panels, rows) = (self.from.panels(), self.rows);
        self.from.check(rows);
        for panel in 0..panels {
            let to = &mut self.to.as_chunks_mut::<PANEL>().0[panel * rows..][..rows];
            for (j, to) in to.iter_mut().enumerate() {
                // SAFETY: `check` has verified that every row is inside its blocks.
                unsafe { self.from.row(simd, j, panel) }.store(simd, to, 0);
            }
        }
    }
}

/// The operands of [`tiles_to_map`].
struct ToMap<'a> {
    x: Places<'a>,
    w: Panels<&'a [f32]>,
    ending: Ending,
    out: Blocks<'a, &'a mut [f32]>,
}

impl Work for ToMap<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        self.x.check();
        self.w.check(self.x.offsets.len());
        self.out.check(self.x.bases.len());
        assert_eq!(
            self.w.count,
            self.out.panels(),
            "the same number of panels of w and of blocks"
        );
        each_tile(simd, &mut self);
    }
}

impl Tiled for ToMap<'_> {
    #[inline(always)]
    fn size(&self) -> [usize; 2] {
        [self.x.bases.len(), self.w.count]
    }

    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize, const C: usize>(&mut self, simd: S, first: usize, panel: usize) {
        // SAFETY: `run` has checked the places and the length of w; there are P bases and C panels.
        let sums = unsafe { self.x.sums::<S, _, P, C>(simd, first, &self.w, panel) };
        let Blocks {
            places, apart, count, ..
        } = self.out;
        for (p, sums) in sums.into_iter().enumerate() {
            // SAFETY: `run` has checked that there is a place for each base.
            let place = unsafe { *places.get_unchecked(first + p) } as usize;
            for (c, sums) in sums.into_iter().enumerate() {
                for (half, mut sum) in sums.vectors(simd).into_iter().enumerate() {
                    let block = 2 * (panel + c) + half;
                    if block < count {
                        // SAFETY: `run` has checked that there are eight floats at this place in every block.
                        let out = unsafe { lanes_mut(self.out.data, place + block * apart) };
                        if self.ending.start == Start::Sum {
                            sum = simd.add(simd.load(out), sum);
                        }
                        sum = simd.add(sum, simd.load(&self.ending.bias[block]));
                        if self.ending.rectify {
                            sum = simd.rectify(sum);
                        }
                        simd.store(sum, out);
                    }
                }
            }
        }
    }
}

/// The operands of [`tiles_from_map`].
struct FromMap<'a> {
    x: Places<'a>,
    w: Blocks<'a, &'a [f32]>,
    out: Panels<&'a mut [f32]>,
}

impl Rows for Blocks<'_, &[f32]> {
    #[inline(always)]
    unsafe fn row<S: Simd>(&self, simd: S, j: usize, panel: usize) -> S::Row {
        // SAFETY: the caller guarantees that there is such a row: eight floats at its place in each block. If there is no
        // second block, the first is read twice.
        unsafe {
            let place = *self.places.get_unchecked(j) as usize;
            let [left, right] = [2 * panel, (2 * panel + 1).min(self.count - 1)];
            let half = |block: usize| place + block * self.apart;
            S::Row::join(
                simd,
                [
                    simd.load(lanes(self.data, half(left))),
                    simd.load(lanes(self.data, half(right))),
                ],
            )
        }
    }
}

impl Work for FromMap<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        self.x.check();
        self.w.check(self.x.offsets.len());
        self.out.check(self.x.bases.len());
        assert_eq!(
            self.w.panels(),
            self.out.count,
            "the same number of panels of sums and of blocks"
        );
        each_tile(simd, &mut self);
    }
}

impl Tiled for FromMap<'_> {
    #[inline(always)]
    fn size(&self) -> [usize; 2] {
        [self.x.bases.len(), self.out.count]
    }

    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize, const C: usize>(&mut self, simd: S, first: usize, panel: usize) {
        // SAFETY: `run` has checked all places and the length of out; there are P bases and C panels.
        unsafe {
            let sums = self.x.sums::<S, _, P, C>(simd, first, &self.w, panel);
            self.out.write(simd, sums, first, panel, Start::Sum);
        }
    }
}

/// # Safety
/// There must be eight floats at `place`.
#[inline(always)]
unsafe fn lanes(data: &[f32], place: usize) -> &Lanes {
    debug_assert!(place + LANES <= data.len());
    // SAFETY: the caller guarantees it.
    unsafe { &*data.as_ptr().add(place).cast() }
}

/// # Safety
/// There must be eight floats at `place`.
#[inline(always)]
unsafe fn lanes_mut(data: &mut [f32], place: usize) -> &mut Lanes {
    debug_assert!(place + LANES <= data.len());
    // SAFETY: the caller guarantees it.
    unsafe { &mut *data.as_mut_ptr().add(place).cast() }
}

#[cfg(test)]
mod tests {
    use super::super::tiles;
    use super::*;

    const ROWS: usize = 11;
    const TERMS: usize = 9;
    const BASES: [u32; ROWS] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    const OFFSETS: [u32; TERMS] = [0, 5, 10, 15, 20, 25, 30, 35, 40];

    fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919) % 1013) as f32 / 506.0 - 1.0).collect()
    }

    /// Places of `count` rows, and the distance between blocks of that many rows.
    fn places(count: usize) -> (Vec<u32>, usize) {
        // In reverse order, with gaps.
        let places = (0..count).rev().map(|i| (i * (LANES + 3)) as u32).collect();
        (places, count * (LANES + 3))
    }

    #[test]
    fn sums_in_a_map_are_those_in_panels() {
        let (x, w) = (numbers(200), numbers(2 * TERMS * PANEL));
        let x = Places {
            x: &x,
            bases: &BASES,
            offsets: &OFFSETS,
        };
        let (places, apart) = places(ROWS);
        for count in 1..=MOST {
            let w = Panels {
                data: &w[..],
                apart: TERMS * PANEL,
                count: count.div_ceil(2),
            };
            let mut panels = vec![0.0; 2 * ROWS * PANEL];
            tiles(x, w, w.beside(&mut panels, ROWS * PANEL), Start::Zero);
            for (start, before) in [(Start::Zero, f32::NAN), (Start::Sum, 0.5)] {
                let mut map = vec![before; count * apart];
                let ending = Ending {
                    start,
                    bias: [[0.25; LANES]; MOST],
                    rectify: true,
                };
                let out = Blocks {
                    data: &mut map[..],
                    places: &places,
                    apart,
                    count,
                };
                tiles_to_map(x, w, ending, out);
                for (block, p, lane) in
                    (0..count).flat_map(|b| (0..ROWS).flat_map(move |p| (0..LANES).map(move |l| (b, p, l))))
                {
                    let sum = panels[(block / 2 * ROWS + p) * PANEL + block % 2 * LANES + lane];
                    let sum = if start == Start::Sum { before + sum } else { sum };
                    assert_eq!(map[block * apart + places[p] as usize + lane], (sum + 0.25).max(0.0));
                }
            }
        }
    }

    #[test]
    fn rows_of_a_map_give_what_their_copies_in_panels_give() {
        let x = numbers(200);
        let x = Places {
            x: &x,
            bases: &BASES,
            offsets: &OFFSETS,
        };
        // More places than rows, as in a list for all images.
        let (places, apart) = places(TERMS + 4);
        for count in 1..=MOST {
            let map = numbers(count * apart);
            let from = Blocks {
                data: &map[..],
                places: &places,
                apart,
                count,
            };
            let mut copies = vec![f32::NAN; 2 * TERMS * PANEL];
            let copies = copy_rows(from, TERMS, &mut copies);
            let [mut near, mut far] = [numbers(2 * ROWS * PANEL), numbers(2 * ROWS * PANEL)];
            tiles(x, copies, copies.beside(&mut near, ROWS * PANEL), Start::Sum);
            tiles_from_map(x, from, copies.beside(&mut far, ROWS * PANEL));
            assert_eq!(near, far);
        }
    }

    #[test]
    #[should_panic(expected = "a place beyond the input")]
    fn places_beyond_the_map_are_refused() {
        let map = numbers(100);
        let from = Blocks {
            data: &map[..],
            places: &[85],
            apart: 10,
            count: 2,
        };
        copy_rows(from, 1, &mut [0.0; PANEL]);
    }
}
