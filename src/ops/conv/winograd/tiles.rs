//! Tiles of feature maps, to the points and back.

use super::Winograd;
use super::transform::{Input, Output, Spread, Square, Transform, twice};
use crate::ops::conv::layout::Panel;
use crate::ops::map::Map;
use crate::ops::simd::{LANES, Lanes, Part, ROW, Simd, Vectors, Work};
use crate::ops::tile::PANEL;

/// Two neighbouring blocks of channels of one image, whose positions outside read as zero; the first twice, where there is no
/// second.
#[derive(Clone, Copy)]
struct Blocks<'a> {
    positions: [&'a [Lanes]; 2],
    height: usize,
    width: usize,
}

impl<'a> Blocks<'a> {
    /// Block `first` of the map, and the next where it is before `end`.
    fn new(map: Map, data: &'a [f32], first: usize, end: usize) -> Self {
        let block = |block: usize| data[block * map.block()..][..map.block()].as_chunks::<LANES>().0;
        Self {
            positions: [block(first), block((first + 1).min(end - 1))],
            height: map.shape.height,
            width: map.shape.width,
        }
    }

    /// Part `number` of them: one block, or both.
    #[inline(always)]
    fn part<S: Vectors, V: Part<S>>(self, number: usize) -> Self {
        Self {
            positions: if V::VECTORS == 1 {
                [self.positions[number]; 2]
            } else {
                self.positions
            },
            ..self
        }
    }

    /// The `A` × `A` positions from row `top` and column `left` on, transformed.
    #[inline(always)]
    fn transformed<T, S, V, const A: usize, const B: usize>(&self, s: S, top: isize, left: isize) -> [[V; B]; B]
    where
        T: Transform<A, B>,
        S: Vectors,
        V: Part<S>,
    {
        let (bottom, right) = (top + A as isize, left + A as isize);
        if top >= 0 && left >= 0 && bottom <= self.height as isize && right <= self.width as isize {
            let first = top as usize * self.width + left as usize;
            let positions = self.positions;
            let positions = [
                &positions[0][first..][..(A - 1) * self.width + A],
                &positions[1][first..][..(A - 1) * self.width + A],
            ];
            twice::<T, S, V, A, B>(s, &Inside(positions, self.width))
        } else {
            twice::<T, S, V, A, B>(s, &Edge(*self, top, left))
        }
    }
}

/// Eight floats of each block, side by side.
#[inline(always)]
fn join<S: Vectors, V: Part<S>>(s: S, positions: [&[Lanes]; 2], at: usize) -> V {
    V::join(s, [s.load(&positions[0][at]), s.load(&positions[1][at])])
}

/// A square of positions in maps of this width, from the first on.
struct Inside<'a>([&'a [Lanes]; 2], usize);

impl<S: Vectors, V: Part<S>> Square<S, V> for Inside<'_> {
    #[inline(always)]
    fn at(&self, s: S, i: usize, j: usize) -> V {
        join(s, self.0, i * self.1 + j)
    }
}

/// A square whose first row and column may lie outside of the maps, and others too.
struct Edge<'a>(Blocks<'a>, isize, isize);

impl<S: Vectors, V: Part<S>> Square<S, V> for Edge<'_> {
    #[inline(always)]
    fn at(&self, s: S, i: usize, j: usize) -> V {
        let Self(blocks, top, left) = *self;
        let (y, x) = ((top + i as isize) as usize, (left + j as isize) as usize);
        // What is negative is larger than any map as an unsigned number.
        if y < blocks.height && x < blocks.width {
            join(s, blocks.positions, y * blocks.width + x)
        } else {
            V::splat(s, 0.0)
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
        let blocks = w.geometry.group_inputs().div_ceil(LANES);
        let (first, padding) = (group * blocks, w.geometry.padding as isize);
        let mut tile = 0;
        for x in x.chunks_exact(map.len()) {
            for (ty, tx) in grid(down, across) {
                let [top, left] = [ty, tx].map(|t| (t * w.filter.side()) as isize - padding);
                for row in 0..inputs / ROW {
                    let pair = Blocks::new(map, x, first + 2 * row, first + blocks);
                    for part in 0..S::Part::COUNT {
                        let blocks = pair.part::<S, S::Part>(part);
                        let points = blocks.transformed::<Input, S, S::Part, N, N>(s, top, left);
                        store_points(s, points, point, tile * inputs + row * ROW, part, to);
                    }
                }
                tile += 1;
            }
        }
    }
}

/// Stores N² numbers as a part of the row at `at` of each point.
#[inline(always)]
fn store_points<S: Vectors, V: Part<S>, const N: usize>(
    s: S,
    square: [[V; N]; N],
    point: usize,
    at: usize,
    part: usize,
    to: &mut [f32],
) {
    for (number, to) in square.iter().flatten().zip(to.chunks_exact_mut(point)) {
        number.store(s, to[at..].first_chunk_mut().expect("a whole row"), part);
    }
}

/// N² numbers: a part of the row at the same place of each point.
pub(super) struct Points<'a, const N: usize> {
    pub(super) from: &'a [f32],
    pub(super) point: usize,
    pub(super) at: usize,
    pub(super) part: usize,
}

impl<S: Vectors, V: Part<S>, const N: usize> Square<S, V> for Points<'_, N> {
    #[inline(always)]
    fn at(&self, s: S, i: usize, j: usize) -> V {
        let row = self.from[(i * N + j) * self.point + self.at..].first_chunk();
        V::load(s, row.expect("a whole row"), self.part)
    }
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
        let (first, count) = (
            self.panel.channels.start / LANES,
            self.panel.channels.len().div_ceil(LANES),
        );
        let (width, bias) = (map.shape.width, self.bias.as_chunks::<LANES>().0);
        let mut tile = 0;
        for y in self.y.chunks_exact_mut(map.len()) {
            let y = &mut y[first * map.block()..][..count * map.block()];
            for (ty, tx) in grid(down, across) {
                for part in 0..count.div_ceil(S::Part::VECTORS) {
                    let products = Points::<N> {
                        from: self.products,
                        point,
                        at: tile * PANEL,
                        part,
                    };
                    let sums = twice::<Output, S, S::Part, N, M>(s, &products);
                    let from = part * S::Part::VECTORS;
                    let blocks = y[from * map.block()..].chunks_exact_mut(map.block());
                    for (number, block) in blocks.take(S::Part::VECTORS).enumerate() {
                        let bias = s.load(&bias[from + number]);
                        let rows = block.as_chunks_mut::<LANES>().0.chunks_exact_mut(width);
                        for (row, sums) in rows.skip(ty * M).zip(&sums) {
                            for (to, sum) in row[tx * M..].iter_mut().zip(sums) {
                                let sum = s.add(sum.vectors(s)[number], bias);
                                s.store(if self.rectify { s.rectify(sum) } else { sum }, to);
                            }
                        }
                    }
                }
                tile += 1;
            }
        }
    }
}

/// The gradients of one panel at the points, from dy. What stands for channels that it lacks is of no meaning.
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
        let end = self.panel.channels.end.div_ceil(LANES);
        let mut tile = 0;
        for dy in self.dy.chunks_exact(map.len()) {
            let pair = Blocks::new(map, dy, first, end);
            for (ty, tx) in grid(down, across) {
                let [top, left] = [ty, tx].map(|t| (t * M) as isize);
                for part in 0..S::Part::COUNT {
                    let blocks = pair.part::<S, S::Part>(part);
                    let points = blocks.transformed::<Spread, S, S::Part, M, N>(s, top, left);
                    store_points(s, points, point, tile * PANEL, part, self.to);
                }
                tile += 1;
            }
        }
    }
}
