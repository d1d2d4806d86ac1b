//! Rectified linear units.

use super::rectify;
use crate::ops::activation::{self, Activation};
use crate::ops::simd::Simd;

/// y = max(0, x), in place.
pub fn forward(x: &mut [f32]) {
    x.iter_mut().for_each(|x| *x = rectify(*x));
}

/// dx from dy, in place, given y.
pub fn backward(y: &[f32], dy: &mut [f32]) {
    activation::backward::<Relu>(y, dy);
}

struct Relu;

impl Activation for Relu {
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "it must be inlined into the function that is compiled for the instruction set"
    )]
    fn gradient<S: Simd>(s: S, y: S::Vector, dy: S::Vector) -> S::Vector {
        s.where_positive(y, dy)
    }
}
