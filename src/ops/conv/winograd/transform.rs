//! The transforms of Winograd's minimal filtering in one dimension. In two dimensions they apply to columns, then rows.
//!
//! A product of polynomials is computed at N points: 0, 1, −1, 2, −2 and ∞, for N = 7 also −½ and for N = 8 also ½. N points
//! serve M = N + 1 − R outputs of a kernel of R (Lavin and Gray 2016, section 4; Toom and Cook). With x_j the points and s_j
//! their scales:
//!
//! ```text
//! input    v = Bᵀ d                                             N → N
//! kernel   u_j = s_j Σ x_j^r g_r,   at ∞ the last g             R → N
//! output   y_i = Σ x_j^i m_j  (+ m at ∞ for the last i)         N → M
//! s_j = 1 / Π over the other finite points of (x_j − x_k)
//! ```
//!
//! The weight gradient uses the transposes of the last two: [`Spread`] is that of [`Output`], [`Gather`] that of [`Kernel`].
#![allow(
    clippy::inline_always,
    reason = "transforms must be inlined into the function that is compiled for the instruction set"
)]

use crate::ops::simd::{Number, Vectors};

/// A transform in one dimension, from `A` numbers to `B`. A trait, because closures are not compiled for the instruction set.
pub trait Transform<const A: usize, const B: usize> {
    /// Transforms all lanes of `V` at once.
    fn apply<S: Vectors, V: Number<S>>(s: S, from: [V; A]) -> [V; B];
}

/// Bᵀ d: an input tile to the points.
pub struct Input;

/// Products at the points to outputs.
pub struct Output;

/// The transpose of [`Output`]: gradients of outputs to the points.
pub struct Spread;

/// A kernel to the points.
pub struct Kernel;

/// The transpose of [`Kernel`]: a kernel's gradient from its gradient at the points.
pub struct Gather;

/// The finite points, in order: `N` points are the first N − 1 of them and ∞.
const POINTS: [f32; 7] = [0.0, 1.0, -1.0, 2.0, -2.0, -0.5, 0.5];

/// Pairs x and −x among the finite points of `N`, which share the even and the odd half of their sums.
const fn pairs(n: usize) -> usize {
    (n - 2) / 2
}

/// x_j^i of the finite points, `[j][i]`.
const POWERS: [[f32; 6]; 7] = {
    let mut table = [[1.0; 6]; 7];
    let mut j = 0;
    while j < 7 {
        let mut i = 1;
        while i < 6 {
            table[j][i] = table[j][i - 1] * POINTS[j];
            i += 1;
        }
        j += 1;
    }
    table
};

/// The coefficients of [`Kernel`] for `N` points.
struct Coefficients<const N: usize>;

impl<const N: usize> Coefficients<N> {
    /// s_j · x_j^r, `[j][r]`, of the finite points; in f64 until the end.
    const OF: [[f32; 5]; 7] = {
        let mut table = [[0.0; 5]; 7];
        let mut j = 0;
        while j < N - 1 {
            let (mut scaled, mut k) = (1.0, 0);
            while k < N - 1 {
                if k != j {
                    scaled /= (POINTS[j] - POINTS[k]) as f64;
                }
                k += 1;
            }
            let mut r = 0;
            while r < 5 {
                table[j][r] = scaled as f32;
                scaled *= POINTS[j] as f64;
                r += 1;
            }
            j += 1;
        }
        table
    };
}

impl Transform<6, 6> for Input {
    #[inline(always)]
    fn apply<S: Vectors, V: Number<S>>(s: S, d: [V; 6]) -> [V; 6] {
        let (four, two) = (V::splat(s, 4.0), V::splat(s, 2.0));
        let (minus_four, minus_five, minus_two) = (V::splat(s, -4.0), V::splat(s, -5.0), V::splat(s, -2.0));
        let even = minus_four.mul_add(s, d[2], d[4]);
        let odd = minus_four.mul_add(s, d[1], d[3]);
        let near = d[4].sub(s, d[2]);
        let slope = d[3].sub(s, d[1]);
        [
            four.mul_add(s, d[0], minus_five.mul_add(s, d[2], d[4])),
            even.add(s, odd),
            even.sub(s, odd),
            two.mul_add(s, slope, near),
            minus_two.mul_add(s, slope, near),
            four.mul_add(s, d[1], minus_five.mul_add(s, d[3], d[5])),
        ]
    }
}

/// One point x more than six: multiplies the tile's polynomial by (t − x) and applies the transform for six.
impl Transform<7, 7> for Input {
    #[inline(always)]
    fn apply<S: Vectors, V: Number<S>>(s: S, d: [V; 7]) -> [V; 7] {
        let half = V::splat(s, -POINTS[5]);
        let mut product = [d[0]; 6];
        for (i, product) in product.iter_mut().enumerate() {
            *product = half.mul_add(s, d[i], d[i + 1]);
        }
        let [zero, one, minus_one, two, minus_two, infinity] = Self::apply(s, product);
        let last = V::splat(s, 4.0).mul_add(s, d[1], V::splat(s, -5.0).mul_add(s, d[3], d[5]));
        [zero, one, minus_one, two, minus_two, last, infinity]
    }
}

impl Transform<8, 8> for Input {
    #[inline(always)]
    fn apply<S: Vectors, V: Number<S>>(s: S, d: [V; 8]) -> [V; 8] {
        let (high, low) = (V::splat(s, 5.25), V::splat(s, -4.25));
        let even = low.mul_add(s, d[4], d[2].add(s, d[6]));
        let odd = low.mul_add(s, d[3], d[1].add(s, d[5]));
        let (quarter, four, half, two) = (V::splat(s, 0.25), V::splat(s, 4.0), V::splat(s, 0.5), V::splat(s, 2.0));
        let middle = V::splat(s, -2.5).mul(s, d[3]);
        let even_two = V::splat(s, -1.25).mul_add(s, d[4], quarter.mul_add(s, d[2], d[6]));
        let odd_two = half.mul_add(s, d[1], two.mul_add(s, d[5], middle));
        let even_half = V::splat(s, -5.0).mul_add(s, d[4], four.mul_add(s, d[2], d[6]));
        let odd_half = two.mul_add(s, d[1], half.mul_add(s, d[5], middle));
        [
            high.mul_add(s, d[2].sub(s, d[4]), d[6].sub(s, d[0])),
            even.add(s, odd),
            even.sub(s, odd),
            even_two.add(s, odd_two),
            even_two.sub(s, odd_two),
            even_half.sub(s, odd_half),
            even_half.add(s, odd_half),
            high.mul_add(s, d[3].sub(s, d[5]), d[7].sub(s, d[1])),
        ]
    }
}

impl<const N: usize, const M: usize> Transform<N, M> for Output {
    #[inline(always)]
    #[allow(
        clippy::needless_range_loop,
        reason = "counted loops unroll, with their coefficients in place"
    )]
    fn apply<S: Vectors, V: Number<S>>(s: S, m: [V; N]) -> [V; M] {
        // All powers of the points 1 and −1 are 1 or −1.
        let [sum, difference] = [m[1].add(s, m[2]), m[1].sub(s, m[2])];
        let mut y = [sum; M];
        for i in 0..M {
            y[i] = if i % 2 == 0 { sum } else { difference };
        }
        for pair in 1..pairs(N) {
            let first = 1 + 2 * pair;
            let [sum, difference] = [m[first].add(s, m[first + 1]), m[first].sub(s, m[first + 1])];
            for i in 0..M {
                let term = if i % 2 == 0 { sum } else { difference };
                y[i] = V::splat(s, POWERS[first][i]).mul_add(s, term, y[i]);
            }
        }
        if N % 2 == 1 {
            for i in 0..M {
                y[i] = V::splat(s, POWERS[N - 2][i]).mul_add(s, m[N - 2], y[i]);
            }
        }
        y[0] = y[0].add(s, m[0]);
        y[M - 1] = y[M - 1].add(s, m[N - 1]);
        y
    }
}

impl<const M: usize, const N: usize> Transform<M, N> for Spread {
    #[inline(always)]
    #[allow(
        clippy::needless_range_loop,
        reason = "counted loops unroll, with their coefficients in place"
    )]
    fn apply<S: Vectors, V: Number<S>>(s: S, y: [V; M]) -> [V; N] {
        let mut points = [y[0]; N];
        for pair in 0..pairs(N) {
            let first = 1 + 2 * pair;
            let (mut even, mut odd) = (y[0], V::splat(s, POWERS[first][1]).mul(s, y[1]));
            for i in 2..M {
                let power = V::splat(s, POWERS[first][i]);
                if i % 2 == 0 {
                    even = power.mul_add(s, y[i], even);
                } else {
                    odd = power.mul_add(s, y[i], odd);
                }
            }
            points[first] = even.add(s, odd);
            points[first + 1] = even.sub(s, odd);
        }
        if N % 2 == 1 {
            for i in 1..M {
                points[N - 2] = V::splat(s, POWERS[N - 2][i]).mul_add(s, y[i], points[N - 2]);
            }
        }
        points[N - 1] = y[M - 1];
        points
    }
}

impl<const R: usize, const N: usize> Transform<R, N> for Kernel {
    #[inline(always)]
    fn apply<S: Vectors, V: Number<S>>(s: S, g: [V; R]) -> [V; N] {
        let mut u = [g[R - 1]; N];
        for (j, u) in u.iter_mut().enumerate().take(N - 1) {
            *u = V::splat(s, Coefficients::<N>::OF[j][0]).mul(s, g[0]);
            if j > 0 {
                for (r, g) in g.iter().enumerate().skip(1) {
                    *u = V::splat(s, Coefficients::<N>::OF[j][r]).mul_add(s, *g, *u);
                }
            }
        }
        u
    }
}

impl<const N: usize, const R: usize> Transform<N, R> for Gather {
    #[inline(always)]
    #[allow(
        clippy::needless_range_loop,
        reason = "counted loops unroll, with their coefficients in place"
    )]
    fn apply<S: Vectors, V: Number<S>>(s: S, u: [V; N]) -> [V; R] {
        let mut g = [u[N - 1]; R];
        for r in 0..R {
            g[r] = V::splat(s, Coefficients::<N>::OF[0][r]).mul(s, u[0]);
            for j in 1..N - 1 {
                g[r] = V::splat(s, Coefficients::<N>::OF[j][r]).mul_add(s, u[j], g[r]);
            }
        }
        g[R - 1] = g[R - 1].add(s, u[N - 1]);
        g
    }
}

/// A square of numbers in memory. It is a trait, so that a column is loaded only when it is transformed: an array of up to 64
/// vectors would be written and read once more.
pub trait Square<S: Vectors, V> {
    /// The number in row `i` and column `j`.
    fn at(&self, s: S, i: usize, j: usize) -> V;
}

impl<S: Vectors, V: Copy, const A: usize> Square<S, V> for [[V; A]; A] {
    #[inline(always)]
    fn at(&self, _: S, i: usize, j: usize) -> V {
        self[i][j]
    }
}

/// Where to write the rows of a transformed square, one by one: an array of up to 64 vectors would be written and read again.
pub trait Sink<S: Vectors, V, const B: usize> {
    /// Takes row `i`.
    fn put(&mut self, s: S, i: usize, row: [V; B]);
}

/// Transforms the columns of `from`, then the rows of the result: A × A → B × B.
#[inline(always)]
pub fn twice<T, S, V, const A: usize, const B: usize>(s: S, from: &impl Square<S, V>, to: &mut impl Sink<S, V, B>)
where
    T: Transform<A, B>,
    S: Vectors,
    V: Number<S>,
{
    let nothing = V::splat(s, 0.0);
    let mut half = [[nothing; A]; B];
    for column in 0..A {
        let mut values = [nothing; A];
        for (i, value) in values.iter_mut().enumerate() {
            *value = from.at(s, i, column);
        }
        let values = T::apply(s, values);
        for (row, value) in half.iter_mut().zip(values) {
            row[column] = value;
        }
    }
    for (i, row) in half.into_iter().enumerate() {
        to.put(s, i, T::apply(s, row));
    }
}
