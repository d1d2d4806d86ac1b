//! Max pooling of one image, eight channels at a time.
#![allow(
    clippy::inline_always,
    reason = "loops must become a part of the function that is compiled for the instruction set"
)]

use super::Geometry;
use crate::ops::map::Map;
use crate::ops::simd::{self, LANES, Lanes, Simd, Work};

impl Geometry {
    /// y and the places of the maxima from x; all blocked.
    pub fn forward(&self, x: &[f32], y: &mut [f32], places: &mut [u8]) {
        let geometry = self;
        simd::run(Forward { geometry, x, y, places });
    }

    /// dx from dy and the places of the maxima; all blocked.
    pub fn backward(&self, dy: &[f32], places: &[u8], dx: &mut [f32]) {
        let geometry = self;
        simd::run(Backward {
            geometry,
            dy,
            places,
            dx,
        });
    }

    /// All windows of a map.
    #[inline(always)]
    fn windows(&self) -> impl Iterator<Item = Window> + use<> {
        let &Self {
            input,
            output,
            size,
            stride,
        } = self;
        (0..output.height * output.width).map(move |at| {
            let [top, left] = [at / output.width, at % output.width].map(|i| i * stride);
            Window {
                at,
                corner: top * input.width + left,
                height: size.min(input.height - top),
                width: size.min(input.width - left),
            }
        })
    }
}

/// One window, inside the map.
struct Window {
    /// Its output position.
    at: usize,
    /// The input position of its first element.
    corner: usize,
    height: usize,
    width: usize,
}

struct Forward<'a> {
    geometry: &'a Geometry,
    x: &'a [f32],
    y: &'a mut [f32],
    places: &'a mut [u8],
}

impl Work for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let g = self.geometry;
        let (from, to) = (Map::blocked(g.input).block(), Map::blocked(g.output).block());
        let blocks = self.y.chunks_exact_mut(to).zip(self.places.chunks_exact_mut(to));
        for (x, (y, places)) in self.x.chunks_exact(from).zip(blocks) {
            let x = x.as_chunks::<LANES>().0;
            let y = y.as_chunks_mut::<LANES>().0;
            let places = places.as_chunks_mut::<LANES>().0;
            for Window {
                at,
                corner,
                height,
                width,
            } in g.windows()
            {
                let (mut best, mut place) = (s.splat(f32::NEG_INFINITY), s.splat(0.0));
                for i in 0..height {
                    for (j, x) in x[corner + i * g.input.width..][..width].iter().enumerate() {
                        let value = s.load(x);
                        let name = s.splat((i * g.size + j) as f32);
                        place = s.where_larger(value, best, name, place);
                        best = s.where_larger(value, best, value, best);
                    }
                }
                s.store(best, &mut y[at]);
                let mut names: Lanes = [0.0; LANES];
                s.store(place, &mut names);
                places[at] = names.map(|name| name as u8);
            }
        }
    }
}

struct Backward<'a> {
    geometry: &'a Geometry,
    dy: &'a [f32],
    places: &'a [u8],
    dx: &'a mut [f32],
}

impl Work for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let g = self.geometry;
        let (to, from) = (Map::blocked(g.input).block(), Map::blocked(g.output).block());
        let blocks = self.dy.chunks_exact(from).zip(self.places.chunks_exact(from));
        for (dx, (dy, places)) in self.dx.chunks_exact_mut(to).zip(blocks) {
            dx.fill(0.0);
            let dx = dx.as_chunks_mut::<LANES>().0;
            let dy = dy.as_chunks::<LANES>().0;
            let places = places.as_chunks::<LANES>().0;
            for Window {
                at,
                corner,
                height,
                width,
            } in g.windows()
            {
                let place = s.load(&places[at].map(f32::from));
                let dy = s.load(&dy[at]);
                for i in 0..height {
                    for (j, dx) in dx[corner + i * g.input.width..][..width].iter_mut().enumerate() {
                        let name = s.splat((i * g.size + j) as f32);
                        s.store(s.add(s.load(dx), s.where_equal(place, name, dy)), dx);
                    }
                }
            }
        }
    }
}
