//! Local response normalization of one image.
//!
//! For a few positions at a time, all channels of a position are copied next to each other, with zeros around them. So the
//! neighbours of eight channels are at a shift of one float per channel.
#![allow(
    clippy::inline_always,
    reason = "loops must be inlined into the function that is compiled for the instruction set"
)]

use std::ops::Range;

use super::Geometry;
use crate::ops::map::Map;
use crate::ops::simd::{self, LANES, Lanes, Simd, Work};

/// How many positions are copied at a time: they stay in the first-level cache.
const STRIP: usize = 8;

/// A normalization, as the CPU computes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kernel {
    geometry: Geometry,
}

impl Kernel {
    /// The kernel of a normalization.
    pub fn new(geometry: Geometry) -> Self {
        Self { geometry }
    }

    /// Floats of scratch.
    pub fn scratch(&self) -> usize {
        2 * STRIP * self.spread()
    }

    /// b from a. Both are blocked.
    pub fn forward(&self, a: &[f32], b: &mut [f32], scratch: &mut [f32]) {
        let kernel = self;
        simd::run(Forward { kernel, a, b, scratch });
    }

    /// da from db and a. All are blocked.
    pub fn backward(&self, a: &[f32], db: &[f32], da: &mut [f32], scratch: &mut [f32]) {
        let kernel = self;
        simd::run(Backward {
            kernel,
            a,
            db,
            da,
            scratch,
        });
    }

    fn blocks(&self) -> usize {
        Map::blocked(self.geometry.shape).blocks()
    }

    /// Zeros on each side of a position's channels.
    fn margin(&self) -> usize {
        self.geometry.half_window.next_multiple_of(LANES)
    }

    /// Floats of one position with its margins.
    fn spread(&self) -> usize {
        self.blocks() * LANES + 2 * self.margin()
    }

    /// Clears the margins. Everything between them is written before it is read.
    fn clear_margins(&self, spread: &mut [f32]) {
        for position in spread.chunks_exact_mut(self.spread()) {
            position[..self.margin()].fill(0.0);
            position[self.spread() - self.margin()..].fill(0.0);
        }
    }

    /// The places of a block's vectors for `count` positions from `start` on: in a blocked map, and that of the first vector in
    /// the strip, where they are [`spread`](Self::spread) apart.
    #[inline(always)]
    fn vectors(&self, block: usize, start: usize, count: usize) -> (Range<usize>, usize) {
        let first = block * self.geometry.shape.plane() + start;
        (first..first + count, self.margin() + block * LANES)
    }

    /// The sum over the neighbours of the eight channels at `at`.
    #[inline(always)]
    fn sum<S: Simd>(&self, s: S, spread: &[f32], at: usize) -> S::Vector {
        let first = &spread[at - self.geometry.half_window..];
        let mut sum = s.splat(0.0);
        for neighbour in first[..2 * self.geometry.half_window + LANES].windows(LANES) {
            // Windows have a length of eight.
            if let Some(lanes) = neighbour.first_chunk() {
                sum = s.add(sum, s.load(lanes));
            }
        }
        sum
    }

    /// k + α Σ, from the squares.
    #[inline(always)]
    fn scale<S: Simd>(&self, s: S, squares: &[f32], at: usize) -> S::Vector {
        let Geometry { alpha, k, .. } = self.geometry;
        s.mul_add(s.splat(alpha), self.sum(s, squares, at), s.splat(k))
    }

    /// scale^(−β).
    #[inline(always)]
    fn power<S: Simd>(&self, s: S, scale: S::Vector) -> S::Vector {
        if self.geometry.beta == 0.75 {
            // With square roots, which exist as vector instructions.
            let root = s.sqrt(scale);
            return s.div(s.splat(1.0), s.mul(root, s.sqrt(root)));
        }
        let mut lanes = [0.0; LANES];
        s.store(scale, &mut lanes);
        s.load(&lanes.map(|scale| scale.powf(-self.geometry.beta)))
    }

    /// Copies the squares of `count` positions from `start` on to the strip.
    #[inline(always)]
    fn spread_squares<S: Simd>(&self, s: S, a: &[Lanes], start: usize, count: usize, squares: &mut [f32]) {
        for block in 0..self.blocks() {
            let (from, mut at) = self.vectors(block, start, count);
            for a in &a[from] {
                let a = s.load(a);
                s.store(s.mul(a, a), lanes_mut(squares, at));
                at += self.spread();
            }
        }
    }
}

/// The eight floats at `at`.
#[inline(always)]
fn lanes_mut(spread: &mut [f32], at: usize) -> &mut Lanes {
    spread[at..].first_chunk_mut().expect("a whole vector")
}

struct Forward<'a> {
    kernel: &'a Kernel,
    a: &'a [f32],
    b: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl Work for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (g, plane) = (self.kernel, self.kernel.geometry.shape.plane());
        let (a, b) = (self.a.as_chunks::<LANES>().0, self.b.as_chunks_mut::<LANES>().0);
        let squares = &mut self.scratch[..STRIP * g.spread()];
        g.clear_margins(squares);
        for start in (0..plane).step_by(STRIP) {
            let count = STRIP.min(plane - start);
            g.spread_squares(s, a, start, count, squares);
            for block in 0..g.blocks() {
                let (map, mut at) = g.vectors(block, start, count);
                for (a, b) in a[map.clone()].iter().zip(&mut b[map]) {
                    let power = g.power(s, g.scale(s, squares, at));
                    s.store(s.mul(s.load(a), power), b);
                    at += g.spread();
                }
            }
        }
    }
}

struct Backward<'a> {
    kernel: &'a Kernel,
    a: &'a [f32],
    db: &'a [f32],
    da: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl Work for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (g, plane) = (self.kernel, self.kernel.geometry.shape.plane());
        let (a, db) = (self.a.as_chunks::<LANES>().0, self.db.as_chunks::<LANES>().0);
        let da = self.da.as_chunks_mut::<LANES>().0;
        let (squares, rest) = self.scratch.split_at_mut(STRIP * g.spread());
        let summands = &mut rest[..STRIP * g.spread()];
        g.clear_margins(squares);
        g.clear_margins(summands);
        for start in (0..plane).step_by(STRIP) {
            let count = STRIP.min(plane - start);
            g.spread_squares(s, a, start, count, squares);
            // db·s^(−β), and db·a·s^(−β−1) for the neighbours' sums.
            for block in 0..g.blocks() {
                let (map, mut at) = g.vectors(block, start, count);
                let operands = a[map.clone()].iter().zip(&db[map.clone()]);
                for ((a, db), da) in operands.zip(&mut da[map]) {
                    let scale = g.scale(s, squares, at);
                    let direct = s.mul(s.load(db), g.power(s, scale));
                    s.store(direct, da);
                    s.store(s.div(s.mul(direct, s.load(a)), scale), lanes_mut(summands, at));
                    at += g.spread();
                }
            }
            let minus = s.splat(-2.0 * g.geometry.alpha * g.geometry.beta);
            for block in 0..g.blocks() {
                let (map, mut at) = g.vectors(block, start, count);
                for (a, da) in a[map.clone()].iter().zip(&mut da[map]) {
                    let slope = s.mul(minus, s.load(a));
                    s.store(s.mul_add(slope, g.sum(s, summands, at), s.load(da)), da);
                    at += g.spread();
                }
            }
        }
    }
}
