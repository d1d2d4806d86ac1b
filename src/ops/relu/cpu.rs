//! Rectified linear units.
#![allow(
    clippy::inline_always,
    reason = "loops must become a part of the function that is compiled for the instruction set"
)]

use super::rectify;
use crate::ops::simd::{self, LANES, Simd, Work};

/// y = max(0, x), in place.
pub fn forward(x: &mut [f32]) {
    x.iter_mut().for_each(|x| *x = rectify(*x));
}

/// dx from dy, in place, given y.
pub fn backward(y: &[f32], dy: &mut [f32]) {
    simd::run(Backward { y, dy });
}

struct Backward<'a> {
    y: &'a [f32],
    dy: &'a mut [f32],
}

impl Work for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (ys, y_rest) = self.y.as_chunks::<LANES>();
        let (dys, dy_rest) = self.dy.as_chunks_mut::<LANES>();
        for (dy, y) in dys.iter_mut().zip(ys) {
            s.store(s.where_positive(s.load(y), s.load(dy)), dy);
        }
        for (dy, y) in dy_rest.iter_mut().zip(y_rest) {
            *dy = if *y > 0.0 { *dy } else { 0.0 };
        }
    }
}
