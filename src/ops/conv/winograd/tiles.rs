//! Tiles of feature maps, to the points and back.

use super::Winograd;
use super::transform::{Input, Output, Spread, Transform, twice};
use crate::ops::conv::layout::Panel;
use crate::ops::map::Map;
use crate::ops::simd::{LANES, Lanes, Simd, Work};
use crate::ops::tile::PANEL;

/// One block of channels of one image, whose positions outside read as zero.
#[derive(Clone, Copy)]
struct Block<'a> {
    positions: &'a [Lanes],
    height: usize,
    width: usize,
}

impl<'a> Block<'a> {
    fn new(map: Map, data: &'a [f32], block: usize) -> Self {
        Self {
            positions: data[block * map.block()..][..map.block()].as_chunks::<LANES>().0,
            height: map.shape.height,
            width: map.shape.width,
        }
    }

    /// The `N` × `N` positions from row `top` and column `left` on.
    #[inline(always)]
    fn square<S: Simd, const N: usize>(&self, s: S, top: isize, left: isize) -> [[S::Vector; N]; N] {
        let mut square = [[s.splat(0.0); N]; N];
        let (bottom, right) = (top + N as isize, left + N as isize);
        if top >= 0 && left >= 0 && bottom <= self.height as isize && right <= self.width as isize {
            for (i, row) in square.iter_mut().enumerate() {
                let from = &self.positions[(top as usize + i) * self.width + left as usize..][..N];
                for (value, lanes) in row.iter_mut().zip(from) {
                    *value = s.load(lanes);
                }
            }
            return square;
        }
        for (y, row) in (top..).zip(square.iter_mut()) {
            for (x, value) in (left..).zip(row) {
                if y >= 0 && x >= 0 && y < self.height as isize && x < self.width as isize {
                    *value = s.load(&self.positions[y as usize * self.width + x as usize]);
                }
            }
        }
        square
    }
}

/// Row and column of every tile.
fn grid(down: usize, across: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..down).flat_map(move |ty| (0..across).map(move |tx| (ty, tx)))
}

/// V of one group, from x.
pub(super) struct Inputs<'a, const N: usize> {
    pub(super) winograd: &'a Winograd<'a>,
    pub(super) group: usize,
    pub(super) x: &'a [f32],
    pub(super) to: &'a mut [f32],
}

impl<const N: usize> Work for Inputs<'_, N>
where
    Input: Transform<N, N>,
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self {
            winograd: w,
            group,
            x,
            to,
        } = self;
        let map = Map::blocked(w.geometry.input);
        let ([down, across], point, inputs) = (w.grid(), w.input_point(), w.inputs());
        let (first, padding) = (group * w.geometry.group_inputs() / LANES, w.geometry.padding as isize);
        let mut tile = 0;
        for x in x.chunks_exact(map.len()) {
            for (ty, tx) in grid(down, across) {
                let [top, left] = [ty, tx].map(|t| (t * w.filter.side()) as isize - padding);
                for block in 0..inputs / LANES {
                    let square = Block::new(map, x, first + block).square(s, top, left);
                    let at = tile * inputs + block * LANES;
                    store_points(s, twice::<Input, S, N, N>(s, square), point, at, to);
                }
                tile += 1;
            }
        }
    }
}

/// Stores N² vectors at `at` of each point.
#[inline(always)]
fn store_points<S: Simd, const N: usize>(s: S, square: [[S::Vector; N]; N], point: usize, at: usize, to: &mut [f32]) {
    for (vector, to) in square.iter().flatten().zip(to.chunks_exact_mut(point)) {
        s.store(*vector, lanes_mut(to, at));
    }
}

/// Loads N² vectors from `at` of each point.
#[inline(always)]
fn load_points<S: Simd, const N: usize>(s: S, point: usize, at: usize, from: &[f32]) -> [[S::Vector; N]; N] {
    let mut square = [[s.splat(0.0); N]; N];
    for (vector, from) in square.iter_mut().flatten().zip(from.chunks_exact(point)) {
        *vector = s.load(lanes(from, at));
    }
    square
}

#[inline(always)]
fn lanes(from: &[f32], at: usize) -> &Lanes {
    from[at..].first_chunk().expect("a whole vector")
}

#[inline(always)]
fn lanes_mut(to: &mut [f32], at: usize) -> &mut Lanes {
    to[at..].first_chunk_mut().expect("a whole vector")
}

/// y of one panel, from its products.
pub(super) struct Outputs<'a, const N: usize, const M: usize> {
    pub(super) winograd: &'a Winograd<'a>,
    pub(super) panel: &'a Panel,
    pub(super) products: &'a [f32],
    pub(super) bias: &'a [f32; PANEL],
    pub(super) rectify: bool,
    pub(super) y: &'a mut [f32],
}

impl<const N: usize, const M: usize> Work for Outputs<'_, N, M> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (w, map) = (self.winograd, Map::blocked(self.winograd.geometry.output));
        let ([down, across], point) = (w.grid(), w.output_point());
        let first = self.panel.channels.start / LANES;
        let mut tile = 0;
        for y in self.y.chunks_exact_mut(map.len()) {
            for (ty, tx) in grid(down, across) {
                for half in 0..self.panel.channels.len().div_ceil(LANES) {
                    let products = load_points(s, point, tile * PANEL + half * LANES, self.products);
                    let sums = twice::<Output, S, N, M>(s, products);
                    let bias = s.load(lanes(self.bias, half * LANES));
                    let block = &mut y[(first + half) * map.block()..][..map.block()];
                    let rows = block.as_chunks_mut::<LANES>().0.chunks_exact_mut(map.shape.width);
                    for (row, sums) in rows.skip(ty * M).zip(&sums) {
                        for (to, sum) in row[tx * M..].iter_mut().zip(sums) {
                            let sum = s.add(*sum, bias);
                            s.store(if self.rectify { s.rectify(sum) } else { sum }, to);
                        }
                    }
                }
                tile += 1;
            }
        }
    }
}

/// The gradients of one panel at the points, from dy.
pub(super) struct Gradients<'a, const N: usize, const M: usize> {
    pub(super) winograd: &'a Winograd<'a>,
    pub(super) panel: &'a Panel,
    pub(super) dy: &'a [f32],
    pub(super) to: &'a mut [f32],
}

impl<const N: usize, const M: usize> Work for Gradients<'_, N, M> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (w, map) = (self.winograd, Map::blocked(self.winograd.geometry.output));
        let ([down, across], point) = (w.grid(), w.output_point());
        let first = self.panel.channels.start / LANES;
        let halves = self.panel.channels.len().div_ceil(LANES);
        let mut tile = 0;
        for dy in self.dy.chunks_exact(map.len()) {
            for (ty, tx) in grid(down, across) {
                let [top, left] = [ty, tx].map(|t| (t * M) as isize);
                for half in 0..PANEL / LANES {
                    let square: [[S::Vector; M]; M] = if half < halves {
                        Block::new(map, dy, first + half).square(s, top, left)
                    } else {
                        [[s.splat(0.0); M]; M]
                    };
                    let at = tile * PANEL + half * LANES;
                    store_points(s, twice::<Spread, S, M, N>(s, square), point, at, self.to);
                }
                tile += 1;
            }
        }
    }
}
