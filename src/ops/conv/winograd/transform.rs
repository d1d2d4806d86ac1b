//! The transforms of Winograd's minimal filtering with six points, in one dimension; in two they are applied to columns
//! and then to rows.
//!
//! A polynomial product is computed at the points 0, 1, −1, 2, −2 and ∞. Six points serve F(4, 3), four outputs of a kernel
//! of 3, and F(2, 5), two outputs of a kernel of 5, with the same input transform (Lavin and Gray 2016, section 4; Toom and
//! Cook). With x_j the points and s_j = 1/4, −1/6, −1/6, 1/24, 1/24:
//!
//! ```text
//! input    v = Bᵀ d          6 → 6
//! kernel   u_j = s_j Σ x_j^r g_r,   u_5 = the last g            R → 6
//! output   y_i = Σ x_j^i m_j  (+ m_5 for the last i)            6 → M = 7 − R
//! ```
//!
//! The weight gradient runs the last two backwards: [`Spread`] is the transpose of [`Output`], [`Gather`] that of [`Kernel`].
#![allow(
    clippy::inline_always,
    reason = "transforms must become a part of the function that is compiled for the instruction set"
)]

use crate::ops::simd::Simd;

/// A transform in one dimension, of `A` numbers to `B`. A trait and not a closure: closures are not compiled for the
/// instruction set.
pub trait Transform<const A: usize, const B: usize> {
    /// Transforms eight lanes at once.
    fn apply<S: Simd>(s: S, from: [S::Vector; A]) -> [S::Vector; B];
}

/// Bᵀ d: an input tile to the points.
pub struct Input;

/// Products at the points to `M` outputs.
pub struct Output;

/// The transpose of [`Output`]: `M` gradients to the points.
pub struct Spread;

/// A kernel to the points.
pub struct Kernel;

/// The transpose of [`Kernel`]: a kernel's gradient from its gradient at the points.
pub struct Gather;

/// Points, and the side of an input tile.
pub const POINTS: usize = 6;

/// The finite points x_j with their scales s_j.
const FINITE: [(f32, f32); POINTS - 1] = [
    (0.0, 0.25),
    (1.0, -1.0 / 6.0),
    (-1.0, -1.0 / 6.0),
    (2.0, 1.0 / 24.0),
    (-2.0, 1.0 / 24.0),
];

/// s_j · x_j^r.
#[inline(always)]
fn coefficient(j: usize, r: usize) -> f32 {
    let (x, scale) = FINITE[j];
    let mut power = scale;
    for _ in 0..r {
        power *= x;
    }
    power
}

impl Transform<POINTS, POINTS> for Input {
    #[inline(always)]
    fn apply<S: Simd>(s: S, d: [S::Vector; POINTS]) -> [S::Vector; POINTS] {
        let (four, two) = (s.splat(4.0), s.splat(2.0));
        let (minus_four, minus_five, minus_two) = (s.splat(-4.0), s.splat(-5.0), s.splat(-2.0));
        let even = s.mul_add(minus_four, d[2], d[4]);
        let odd = s.mul_add(minus_four, d[1], d[3]);
        let near = s.sub(d[4], d[2]);
        let slope = s.sub(d[3], d[1]);
        [
            s.mul_add(four, d[0], s.mul_add(minus_five, d[2], d[4])),
            s.add(even, odd),
            s.sub(even, odd),
            s.mul_add(two, slope, near),
            s.mul_add(minus_two, slope, near),
            s.mul_add(four, d[1], s.mul_add(minus_five, d[3], d[5])),
        ]
    }
}

impl<const M: usize> Transform<POINTS, M> for Output {
    #[inline(always)]
    fn apply<S: Simd>(s: S, m: [S::Vector; POINTS]) -> [S::Vector; M] {
        let (sum, difference) = (s.add(m[1], m[2]), s.sub(m[1], m[2]));
        let (far_sum, far_difference) = (s.add(m[3], m[4]), s.sub(m[3], m[4]));
        let mut y = [m[0]; M];
        let mut power = 1.0;
        for (i, y) in y.iter_mut().enumerate() {
            let (near, far) = if i % 2 == 0 {
                (sum, far_sum)
            } else {
                (difference, far_difference)
            };
            *y = s.mul_add(s.splat(power), far, near);
            power *= 2.0;
        }
        y[0] = s.add(y[0], m[0]);
        y[M - 1] = s.add(y[M - 1], m[5]);
        y
    }
}

impl<const M: usize> Transform<M, POINTS> for Spread {
    #[inline(always)]
    fn apply<S: Simd>(s: S, y: [S::Vector; M]) -> [S::Vector; POINTS] {
        // Even and odd powers apart, at 1 and at 2.
        let (mut even, mut odd) = (y[0], y[1]);
        let (mut far_even, mut far_odd) = (y[0], s.mul(s.splat(2.0), y[1]));
        let mut power = 4.0;
        for (i, y) in y.iter().enumerate().skip(2) {
            if i % 2 == 0 {
                even = s.add(even, *y);
                far_even = s.mul_add(s.splat(power), *y, far_even);
            } else {
                odd = s.add(odd, *y);
                far_odd = s.mul_add(s.splat(power), *y, far_odd);
            }
            power *= 2.0;
        }
        [
            y[0],
            s.add(even, odd),
            s.sub(even, odd),
            s.add(far_even, far_odd),
            s.sub(far_even, far_odd),
            y[M - 1],
        ]
    }
}

impl<const R: usize> Transform<R, POINTS> for Kernel {
    #[inline(always)]
    fn apply<S: Simd>(s: S, g: [S::Vector; R]) -> [S::Vector; POINTS] {
        let mut u = [g[R - 1]; POINTS];
        for (j, u) in u.iter_mut().enumerate().take(POINTS - 1) {
            *u = s.mul(s.splat(coefficient(j, 0)), g[0]);
            for (r, g) in g.iter().enumerate().skip(1) {
                *u = s.mul_add(s.splat(coefficient(j, r)), *g, *u);
            }
        }
        u
    }
}

impl<const R: usize> Transform<POINTS, R> for Gather {
    #[inline(always)]
    fn apply<S: Simd>(s: S, u: [S::Vector; POINTS]) -> [S::Vector; R] {
        let mut g = [u[5]; R];
        for (r, g) in g.iter_mut().enumerate() {
            let mut sum = s.mul(s.splat(coefficient(0, r)), u[0]);
            for (j, u) in u.iter().enumerate().take(POINTS - 1).skip(1) {
                sum = s.mul_add(s.splat(coefficient(j, r)), *u, sum);
            }
            *g = sum;
        }
        g[R - 1] = s.add(g[R - 1], u[5]);
        g
    }
}

/// Transforms the columns of `from`, and then the rows of what comes: A × A → B × B.
#[inline(always)]
pub fn twice<T, S, const A: usize, const B: usize>(s: S, from: [[S::Vector; A]; A]) -> [[S::Vector; B]; B]
where
    T: Transform<A, B>,
    S: Simd,
{
    let nothing = from[0][0];
    let mut half = [[nothing; A]; B];
    for column in 0..A {
        let mut values = [nothing; A];
        for (value, row) in values.iter_mut().zip(&from) {
            *value = row[column];
        }
        let values = T::apply(s, values);
        for (row, value) in half.iter_mut().zip(values) {
            row[column] = value;
        }
    }
    let mut whole = [[nothing; B]; B];
    for (whole, half) in whole.iter_mut().zip(half) {
        *whole = T::apply(s, half);
    }
    whole
}
