//! Max pooling of one image, eight channels at a time.
#![allow(
    clippy::inline_always,
    reason = "loops must be inlined into the function that is compiled for the instruction set"
)]

use super::{Geometry, overlapping};
use crate::ops::map::Map;
use crate::ops::simd::{self, Bytes, LANES, Lanes, Simd, Work};

/// A pooling, as the CPU computes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    geometry: Geometry,
}

impl Kernel {
    /// The kernel of a pooling.
    pub fn new(geometry: Geometry) -> Self {
        Self { geometry }
    }

    /// y and the argmax of each window, from x. All are blocked.
    pub fn forward(&self, x: &[f32], y: &mut [f32], argmax: &mut [u8]) {
        let geometry = &self.geometry;
        simd::run(Forward { geometry, x, y, argmax });
    }

    /// dx from dy and the argmax of the windows. All are blocked.
    pub fn backward(&self, dy: &[f32], argmax: &[u8], dx: &mut [f32]) {
        let geometry = &self.geometry;
        simd::run(Backward {
            geometry,
            dy,
            argmax,
            dx,
        });
    }
}

/// All windows of a map.
#[inline(always)]
fn windows(geometry: &Geometry) -> impl Iterator<Item = Window> + use<> {
    let &Geometry {
        input,
        output,
        size,
        stride,
    } = geometry;
    (0..output.height).flat_map(move |q| {
        (0..output.width).map(move |r| {
            let [top, left] = [q * stride, r * stride];
            Window {
                at: q * output.width + r,
                corner: top * input.width + left,
                height: size.min(input.height - top),
                width: size.min(input.width - left),
            }
        })
    })
}

/// One window, clipped to the map.
struct Window {
    /// Its output position.
    at: usize,
    /// The input position of its first element.
    corner: usize,
    height: usize,
    width: usize,
}

impl Window {
    /// Whether both sides are `side` long, so that it does not extend over the edge.
    #[inline(always)]
    fn is(&self, side: usize) -> bool {
        self.height == side && self.width == side
    }
}

struct Forward<'a> {
    geometry: &'a Geometry,
    x: &'a [f32],
    y: &'a mut [f32],
    argmax: &'a mut [u8],
}

impl Work for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let g = self.geometry;
        let (from, to) = (Map::blocked(g.input).block(), Map::blocked(g.output).block());
        let blocks = self.y.chunks_exact_mut(to).zip(self.argmax.chunks_exact_mut(to));
        for (x, (y, argmax)) in self.x.chunks_exact(from).zip(blocks) {
            let x = x.as_chunks::<LANES>().0;
            let y = y.as_chunks_mut::<LANES>().0;
            let argmax = argmax.as_chunks_mut::<LANES>().0;
            for window in windows(g) {
                let x = &x[window.corner..];
                let mut found = None;
                if window.is(3) && g.size == 3 {
                    found = largest_of_numbers(s, x, g.input.width);
                }
                let (best, place) = match found {
                    Some(found) => found,
                    None => largest(s, x, g.input.width, [window.height, window.width], g.size),
                };
                s.store(best, &mut y[window.at]);
                s.store_bytes(place, &mut argmax[window.at]);
            }
        }
    }
}

/// The largest values of a window whose first element is `x[0]`, and their argmax: i · `size` + j.
#[inline(always)]
fn largest<S: Simd>(s: S, x: &[Lanes], row: usize, [height, width]: [usize; 2], size: usize) -> (S::Vector, S::Vector) {
    let (mut best, mut place) = (s.load(&x[0]), s.splat(0.0));
    for i in 0..height {
        for (j, x) in x[i * row..][..width].iter().enumerate() {
            if i + j > 0 {
                let value = s.load(x);
                place = s.where_larger(value, best, s.splat((i * size + j) as f32), place);
                best = s.where_larger(value, best, value, best);
            }
        }
    }
    (best, place)
}

/// The same for a window of 3 × 3 without NaN: first the largest value, then the first place with that value. So no step
/// depends on the argmax of the previous one.
#[inline(always)]
fn largest_of_numbers<S: Simd>(s: S, x: &[Lanes], row: usize) -> Option<(S::Vector, S::Vector)> {
    const SIZE: usize = 3;
    let rows = [&x[..SIZE], &x[row..][..SIZE], &x[2 * row..][..SIZE]];
    let first = s.load(&rows[0][0]);
    let (mut best, mut sum) = (first, first);
    for (i, row) in rows.iter().enumerate() {
        for (j, x) in row.iter().enumerate() {
            if i + j > 0 {
                let value = s.load(x);
                // Of two equal values, such as 0 and −0, the first stays.
                best = s.max(value, best);
                // NaN if any value is, and also if ∞ meets −∞: then the slower path is taken, which is also correct.
                sum = s.add(sum, value);
            }
        }
    }
    if s.any_nan(sum) {
        return None;
    }
    let mut place = s.splat((SIZE * SIZE - 1) as f32);
    for name in (0..SIZE * SIZE - 1).rev() {
        let value = s.load(&rows[name / SIZE][name % SIZE]);
        place = s.where_equal_else(value, best, s.splat(name as f32), place);
    }
    Some((best, place))
}

struct Backward<'a> {
    geometry: &'a Geometry,
    dy: &'a [f32],
    argmax: &'a [u8],
    dx: &'a mut [f32],
}

impl Work for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let g = self.geometry;
        let (to, from) = (Map::blocked(g.input).block(), Map::blocked(g.output).block());
        let blocks = self.dy.chunks_exact(from).zip(self.argmax.chunks_exact(from));
        for (dx, (dy, argmax)) in self.dx.chunks_exact_mut(to).zip(blocks) {
            let dx = dx.as_chunks_mut::<LANES>().0;
            let dy = dy.as_chunks::<LANES>().0;
            let argmax = argmax.as_chunks::<LANES>().0;
            if (g.size, g.stride) == (3, 2) {
                overlapping::backward(s, g, dy, argmax, dx);
            } else {
                backward(s, g, dy, argmax, dx);
            }
        }
    }
}

/// One block of dx, window by window.
#[inline(always)]
fn backward<S: Simd>(s: S, g: &Geometry, dy: &[Lanes], argmax: &[Bytes], dx: &mut [Lanes]) {
    dx.fill([0.0; LANES]);
    for Window {
        at,
        corner,
        height,
        width,
    } in windows(g)
    {
        let place = s.load_bytes(&argmax[at]);
        let dy = s.load(&dy[at]);
        for i in 0..height {
            for (j, dx) in dx[corner + i * g.input.width..][..width].iter_mut().enumerate() {
                let name = s.splat((i * g.size + j) as f32);
                s.store(s.add(s.load(dx), s.where_equal(place, name, dy)), dx);
            }
        }
    }
}
