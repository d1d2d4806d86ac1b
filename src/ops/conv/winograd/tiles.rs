//! Tiles of feature maps, to the points and back.

use super::Winograd;
use super::transform::{Input, Output, Spread, Square, Transform, twice};
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

    /// The `A` × `A` positions from row `top` and column `left` on, transformed.
    #[inline(always)]
    fn transformed<T, S, const A: usize, const B: usize>(&self, s: S, top: isize, left: isize) -> [[S::Vector; B]; B]
    where
        T: Transform<A, B>,
        S: Simd,
    {
        let (bottom, right) = (top + A as isize, left + A as isize);
        if top >= 0 && left >= 0 && bottom <= self.height as isize && right <= self.width as isize {
            let first = top as usize * self.width + left as usize;
            let positions = &self.positions[first..][..(A - 1) * self.width + A];
            twice::<T, S, A, B>(s, &Inside(positions, self.width))
        } else {
            twice::<T, S, A, B>(s, &Edge(*self, top, left))
        }
    }
}

/// A square of positions in a map of this width, from the first on.
struct Inside<'a>(&'a [Lanes], usize);

impl<S: Simd> Square<S> for Inside<'_> {
    #[inline(always)]
    fn at(&self, s: S, i: usize, j: usize) -> S::Vector {
        s.load(&self.0[i * self.1 + j])
    }
}

/// A square whose first row and column may lie outside of the map, and others too.
struct Edge<'a>(Block<'a>, isize, isize);

impl<S: Simd> Square<S> for Edge<'_> {
    #[inline(always)]
    fn at(&self, s: S, i: usize, j: usize) -> S::Vector {
        let Self(block, top, left) = *self;
        let (y, x) = ((top + i as isize) as usize, (left + j as isize) as usize);
        // What is negative is larger than any map as an unsigned number.
        if y < block.height && x < block.width {
            s.load(&block.positions[y * block.width + x])
        } else {
            s.splat(0.0)
        }
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
                    let block_of_x = Block::new(map, x, first + block);
                    let points = block_of_x.transformed::<Input, S, N, N>(s, top, left);
                    store_points(s, points, point, tile * inputs + block * LANES, to);
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

/// N² vectors at the same place of each point.
struct Points<'a, const N: usize> {
    from: &'a [f32],
    point: usize,
    at: usize,
}

impl<S: Simd, const N: usize> Square<S> for Points<'_, N> {
    #[inline(always)]
    fn at(&self, s: S, i: usize, j: usize) -> S::Vector {
        s.load(lanes(self.from, (i * N + j) * self.point + self.at))
    }
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
                    let products = Points::<N> {
                        from: self.products,
                        point,
                        at: tile * PANEL + half * LANES,
                    };
                    let sums = twice::<Output, S, N, M>(s, &products);
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
                    let points = if half < halves {
                        Block::new(map, dy, first + half).transformed::<Spread, S, M, N>(s, top, left)
                    } else {
                        [[s.splat(0.0); N]; N]
                    };
                    store_points(s, points, point, tile * PANEL + half * LANES, self.to);
                }
                tile += 1;
            }
        }
    }
}
