//! The gradient of the paper's pooling, with windows of 3 and a stride of 2: each element of dx is written once.
//!
//! An element is in one, two or four windows: along each side in two if its index is even, otherwise in one:
//!
//! ```text
//! dx[2q]     from window q − 1 (its element 2) and window q (its element 0)
//! dx[2q + 1] from window q (its element 1)
//! ```
#![allow(
    clippy::inline_always,
    reason = "loops must be inlined into the function that is compiled for the instruction set"
)]

use super::Geometry;
use crate::ops::simd::{Bytes, Lanes, Simd};

/// Side of a window.
const SIZE: usize = 3;

/// A row of windows that contains a row of elements: their gradients, their argmax, and which row of the window it is.
#[derive(Clone, Copy)]
struct Row<'a> {
    dy: &'a [Lanes],
    argmax: &'a [Bytes],
    i: usize,
}

/// One block of dx.
#[inline(always)]
pub(super) fn backward<S: Simd>(s: S, g: &Geometry, dy: &[Lanes], argmax: &[Bytes], dx: &mut [Lanes]) {
    let (width, windows) = (g.output.width, g.output.height);
    for (y, dx) in dx.chunks_exact_mut(g.input.width).enumerate() {
        let (q, odd) = (y / 2, y % 2 == 1);
        let row = |q: usize, i| Row {
            dy: &dy[q * width..][..width],
            argmax: &argmax[q * width..][..width],
            i,
        };
        match (odd, q > 0, q < windows) {
            (true, _, true) => from(s, [row(q, 1)], dx),
            (false, true, true) => from(s, [row(q - 1, 2), row(q, 0)], dx),
            (false, false, true) => from(s, [row(q, 0)], dx),
            (false, true, false) if q == windows => from(s, [row(q - 1, 2)], dx),
            _ => from(s, [], dx),
        }
    }
}

/// One row of dx from `rows` of windows.
#[inline(always)]
fn from<S: Simd, const N: usize>(s: S, rows: [Row<'_>; N], dx: &mut [Lanes]) {
    let zero = s.splat(0.0);
    // Gradient and argmax of the window to the left of the pair; there is none at first.
    let mut left = [[zero; 2]; N];
    for (r, pair) in dx.chunks_mut(2).enumerate() {
        let mut sums = [zero; 2];
        for n in 0..N {
            let Row { dy, argmax, i } = rows[n];
            let name = |j: usize| (i * SIZE + j) as f32;
            sums[0] = s.add(sums[0], s.where_equal(left[n][1], s.splat(name(2)), left[n][0]));
            left[n] = match (dy.get(r), argmax.get(r)) {
                (Some(dy), Some(argmax)) => [s.load(dy), s.load_bytes(argmax)],
                _ => [zero; 2],
            };
            let [dy, place] = left[n];
            sums[0] = s.add(sums[0], s.where_equal(place, s.splat(name(0)), dy));
            sums[1] = s.add(sums[1], s.where_equal(place, s.splat(name(1)), dy));
        }
        for (dx, sum) in pair.iter_mut().zip(sums) {
            s.store(sum, dx);
        }
    }
}
