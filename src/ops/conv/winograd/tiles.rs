//! Transforms tiles of feature maps to the points and back.

use super::Winograd;
use super::band::{Band, Blocks};
use super::transform::{Input, Output, Sink, Spread, Square, Transform, twice};
use crate::ops::conv::layout::Panel;
use crate::ops::map::Map;
use crate::ops::simd::{LANES, Part, ROW, Simd, Vectors, Work};
use crate::ops::tile::PANEL;

/// V of one group, from x.
pub(super) struct Inputs<'a, const N: usize> {
    pub(super) winograd: &'a Winograd<'a>,
    pub(super) group: usize,
    pub(super) x: &'a [f32],
    pub(super) to: &'a mut [f32],
    pub(super) band: &'a mut [f32],
}

impl<const N: usize> Work for Inputs<'_, N>
where
    Input: Transform<N, N>,
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (w, map) = (self.winograd, Map::blocked(self.winograd.geometry.input));
        let ([down, across], point, inputs, side) = (w.grid(), w.input_point(), w.inputs(), w.filter.side());
        let blocks = w.geometry.group_inputs().div_ceil(LANES);
        let (first, padding) = (self.group * blocks, w.geometry.padding);
        let mut band = Band::zeros(self.band, N, w.width());
        for (image, x) in self.x.chunks_exact(map.len()).enumerate() {
            for row in 0..inputs / ROW {
                let blocks = Blocks::new(map, x, first + 2 * row, first + blocks);
                for ty in 0..down {
                    band.fill(s, &blocks, (ty * side) as isize - padding as isize, padding);
                    for tx in 0..across {
                        let at = ((image * down + ty) * across + tx) * inputs + row * ROW;
                        for part in 0..S::Part::COUNT {
                            let tile = band.square::<N>(tx * side, part);
                            let to = &mut *self.to;
                            let mut points = PointsMut { to, point, at, part };
                            twice::<Input, S, S::Part, N, N>(s, &tile, &mut points);
                        }
                    }
                }
            }
        }
    }
}

/// Where to write N² numbers: a part of the row at the same place of each point.
pub(super) struct PointsMut<'a> {
    pub(super) to: &'a mut [f32],
    pub(super) point: usize,
    pub(super) at: usize,
    pub(super) part: usize,
}

impl<S: Vectors, V: Part<S>, const N: usize> Sink<S, V, N> for PointsMut<'_> {
    #[inline(always)]
    fn put(&mut self, s: S, i: usize, row: [V; N]) {
        let points = &mut self.to[i * N * self.point..];
        for (j, number) in row.into_iter().enumerate() {
            let to = points[j * self.point + self.at..].first_chunk_mut();
            number.store(s, to.expect("a whole row"), self.part);
        }
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
    pub(super) band: &'a mut [f32],
}

impl<const N: usize, const M: usize> Work for Outputs<'_, N, M> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (w, map) = (self.winograd, Map::blocked(self.winograd.geometry.output));
        let ([down, across], point) = (w.grid(), w.output_point());
        let channels = &self.panel.channels;
        let blocks = channels.start / LANES..channels.end.div_ceil(LANES);
        let bias = self.bias.as_chunks().0;
        let mut band = Band::new(self.band, M, across * M);
        for (image, y) in self.y.chunks_exact_mut(map.len()).enumerate() {
            let y = &mut y[blocks.start * map.block()..blocks.end * map.block()];
            for ty in 0..down {
                for tx in 0..across {
                    let at = ((image * down + ty) * across + tx) * PANEL;
                    for part in 0..S::Part::COUNT {
                        let products = Points::<N> {
                            from: self.products,
                            point,
                            at,
                            part,
                        };
                        twice::<Output, S, S::Part, N, M>(s, &products, &mut band.sink(tx * M, part));
                    }
                }
                for (number, block) in y.chunks_exact_mut(map.block()).enumerate() {
                    let rows = block.as_chunks_mut().0.chunks_exact_mut(map.shape.width);
                    band.write(s, number, &bias[number], self.rectify, rows.skip(ty * M));
                }
            }
        }
    }
}

/// The gradients of one panel at the points, from dy. Values for missing channels are meaningless.
pub(super) struct Gradients<'a, const N: usize, const M: usize> {
    pub(super) winograd: &'a Winograd<'a>,
    pub(super) panel: &'a Panel,
    pub(super) dy: &'a [f32],
    pub(super) to: &'a mut [f32],
    pub(super) band: &'a mut [f32],
}

impl<const N: usize, const M: usize> Work for Gradients<'_, N, M> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (w, map) = (self.winograd, Map::blocked(self.winograd.geometry.output));
        let ([down, across], point) = (w.grid(), w.output_point());
        let channels = &self.panel.channels;
        let mut band = Band::zeros(self.band, M, across * M);
        for (image, dy) in self.dy.chunks_exact(map.len()).enumerate() {
            let blocks = Blocks::new(map, dy, channels.start / LANES, channels.end.div_ceil(LANES));
            for ty in 0..down {
                band.fill(s, &blocks, (ty * M) as isize, 0);
                for tx in 0..across {
                    let at = ((image * down + ty) * across + tx) * PANEL;
                    for part in 0..S::Part::COUNT {
                        let tile = band.square::<M>(tx * M, part);
                        let to = &mut *self.to;
                        let mut points = PointsMut { to, point, at, part };
                        twice::<Spread, S, S::Part, M, N>(s, &tile, &mut points);
                    }
                }
            }
        }
    }
}
