//! Hyperbolic tangent, eight values at a time.
//!
//! ```text
//! |x| ≤ 5/8:  x + x·s·q(s), s = x²                         q of degree 5: 0.1 ulp from tanh before it is rounded
//! beyond:     1 − 2 / (e^(2|x|) + 1), with the sign of x   e^u = 2ⁿ·p(u − n·ln 2), n = ⌊u / ln 2⌋
//! ```
//!
//! Both polynomials were found by interpolation at Chebyshev points. All coefficients of p are positive, and so is its
//! argument, except for rounding. So every step from |x| to the result is a rounded monotonic function, and the result is
//! monotonic. The error is below 2 ulps of tanh (at most 1.5 over all floats). `tests/ops/tanh.rs` checks both, also where the
//! pieces meet.
#![allow(
    clippy::inline_always,
    reason = "loops must be inlined into the function that is compiled for the instruction set"
)]

use crate::ops::activation::{self, Activation};
use crate::ops::simd::{self, LANES, Simd, Work};

/// Up to this |x| the series around 0 is used.
const NEAR: f32 = 0.625;

/// tanh(9.02) is 1 in 24 bits. Larger arguments are limited to this, so that e^(2x) does not overflow.
const FAR: f32 = 10.0;

/// q, from the highest power of x² down.
const NEAR_SERIES: [f32; 6] = [
    0.002_292_744_8,
    -0.008_343_945,
    0.021_768_918,
    -0.053_959_26,
    0.133_333_04,
    -0.333_333_34,
];

/// p of e^r on 0 to ln 2, from the highest power of r down: within 6e-9 of it, and below 2 at ln 2.
const EXPONENTIAL: [f32; 7] = [
    0.001_877_087_3,
    0.007_932_47,
    0.041_814_245,
    0.166_642_38,
    0.500_001_43,
    1.0,
    1.0,
];

/// ln 2 in two parts: n times the first is exact.
const LN_2: [f32; 2] = [0.693_115_23, 3.194_618_3e-5];

/// y = tanh(x), in place.
pub fn forward(x: &mut [f32]) {
    simd::run(Forward(x));
}

/// dx from dy, in place, given y.
pub fn backward(y: &[f32], dy: &mut [f32]) {
    activation::backward::<Tanh>(y, dy);
}

/// c[0]·xⁿ + … + c[n].
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(s: S, x: S::Vector, coefficients: &[f32; N]) -> S::Vector {
    let mut sum = s.splat(coefficients[0]);
    for coefficient in &coefficients[1..] {
        sum = s.mul_add(sum, x, s.splat(*coefficient));
    }
    sum
}

/// e^u for u from 0 to 2·[`FAR`]; NaN if u is.
#[inline(always)]
fn exponential<S: Simd>(s: S, u: S::Vector) -> S::Vector {
    let n = s.floor(s.mul(u, s.splat(std::f32::consts::LOG2_E)));
    let r = s.mul_add(n, s.splat(-LN_2[0]), u);
    let r = s.mul_add(n, s.splat(-LN_2[1]), r);
    s.mul(polynomial(s, r, &EXPONENTIAL), s.power_of_two(n))
}

/// tanh of each lane.
#[inline(always)]
fn tanh<S: Simd>(s: S, x: S::Vector) -> S::Vector {
    let size = s.at_most(s.magnitude(x), s.splat(FAR));
    let square = s.mul(size, size);
    let near = s.mul_add(s.mul(size, square), polynomial(s, square, &NEAR_SERIES), size);
    let one = s.splat(1.0);
    let past = s.div(s.splat(2.0), s.add(exponential(s, s.add(size, size)), one));
    let y = s.where_larger(size, s.splat(NEAR), s.sub(one, past), near);
    s.with_sign(y, x)
}

/// y = tanh(x), in place, with any instruction set.
#[derive(Debug)]
pub struct Forward<'a>(pub &'a mut [f32]);

impl Work for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (vectors, rest) = self.0.as_chunks_mut::<LANES>();
        for x in vectors {
            s.store(tanh(s, s.load(x)), x);
        }
        // The same instructions for the last few values, so that a value's bits do not depend on its position.
        let mut last = [0.0; LANES];
        last[..rest.len()].copy_from_slice(rest);
        s.store(tanh(s, s.load(&last)), &mut last);
        rest.copy_from_slice(&last[..rest.len()]);
    }
}

struct Tanh;

impl Activation for Tanh {
    #[inline(always)]
    fn gradient<S: Simd>(s: S, y: S::Vector, dy: S::Vector) -> S::Vector {
        s.mul(dy, s.sub(s.splat(1.0), s.mul(y, y)))
    }
}
