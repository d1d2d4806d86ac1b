//! Vectors of eight floats, and rows of sixteen. Kernels are written once for [`Simd`], and run with the best instructions that
//! the processor has.
//!
//! A value of a type that implements [`Simd`] proves that its instructions may be used, so kernels are safe code. Work is
//! passed to [`run`], which is compiled once for each instruction set. Closures inside are not, so kernels use loops for vector
//! code. There are implementations for AVX-512, for AVX2 with FMA, and in plain code for any processor. Another one (NEON)
//! needs one more file beside `avx2.rs` and one more variant of [`Instructions`].
//!
//! Both x86 implementations round alike, so they compute the same bits.
#![allow(
    clippy::inline_always,
    reason = "operations must be inlined into the function that is compiled for the instruction set"
)]

mod instructions;
mod row;
#[cfg(target_arch = "x86_64")]
pub mod avx2;
#[cfg(target_arch = "x86_64")]
pub mod avx512;

pub use instructions::{Instructions, limit, used};
pub use row::{Number, Part, ROW};

/// Floats per vector.
pub const LANES: usize = 8;

/// The sign bit of a float.
const SIGN: u32 = 1 << 31;

/// Eight floats in memory.
pub type Lanes = [f32; LANES];

/// A small whole number for each lane.
pub type Bytes = [u8; LANES];

/// An instruction set, and how its multipliers are kept busy.
pub trait Simd: Vectors {
    /// A whole row, in one register or two.
    type Row: Part<Self>;
    /// As much of a row as one register holds.
    type Part: Part<Self>;

    /// How many rows of independent sums keep its multipliers busy and still leave free registers.
    const BUSY: usize;

    /// Rows of sums in a tile (`ops/tile.rs`) that its registers hold: for one panel, and for two side by side; 0 if two panels
    /// are not processed together.
    const TALL: [usize; 2];
}

/// Operations on vectors of eight floats. All work per lane, and round once.
pub trait Vectors: Copy + Send + Sync {
    /// Eight floats in a register.
    type Vector: Copy;
    /// All lanes `x`.
    fn splat(self, x: f32) -> Self::Vector;
    /// From memory.
    fn load(self, from: &Lanes) -> Self::Vector;
    /// To memory.
    fn store(self, vector: Self::Vector, to: &mut Lanes);
    /// The numbers of `from`.
    fn load_bytes(self, from: &Bytes) -> Self::Vector;
    /// Whole numbers from 0 to 255 to memory.
    fn store_bytes(self, vector: Self::Vector, to: &mut Bytes);
    /// a + b.
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a − b.
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a · b.
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a / b.
    fn div(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// √a.
    fn sqrt(self, a: Self::Vector) -> Self::Vector;
    /// a · b + c; rounded once or twice, depending on the processor.
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// max(0, a); NaN if a is.
    fn rectify(self, a: Self::Vector) -> Self::Vector;
    /// b if a > 0, else 0.
    fn where_positive(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// x if a = b, else 0.
    fn where_equal(self, a: Self::Vector, b: Self::Vector, x: Self::Vector) -> Self::Vector;
    /// x if a = b, else y.
    fn where_equal_else(self, a: Self::Vector, b: Self::Vector, x: Self::Vector, y: Self::Vector) -> Self::Vector;
    /// The larger of a and b; b if they are equal; unspecified if either is NaN.
    fn max(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Whether any lane is NaN.
    fn any_nan(self, a: Self::Vector) -> bool;
    /// x if a > best, else y. NaN is larger than every number.
    fn where_larger(self, a: Self::Vector, best: Self::Vector, x: Self::Vector, y: Self::Vector) -> Self::Vector;
    /// min(a, limit); NaN if a is.
    fn at_most(self, a: Self::Vector, limit: Self::Vector) -> Self::Vector;
    /// ⌊a⌋.
    fn floor(self, a: Self::Vector) -> Self::Vector;
    /// 2ⁿ for integers n from −126 to 127; unspecified for others.
    fn power_of_two(self, n: Self::Vector) -> Self::Vector;
    /// |a|.
    fn magnitude(self, a: Self::Vector) -> Self::Vector;
    /// a, which must not be negative, with the sign of `of`.
    fn with_sign(self, a: Self::Vector, of: Self::Vector) -> Self::Vector;
}

/// Work that uses vectors. `run` needs `#[inline(always)]`, or it is not compiled for the instruction set.
pub trait Work {
    /// Its result.
    type Output;
    /// Runs it.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Runs `work` with the best instructions that this processor has and [`limit`] permits.
#[inline]
pub fn run<W: Work>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    {
        let most = instructions::most();
        if most >= Instructions::Avx512
            && let Some(simd) = avx512::Avx512::detect()
        {
            return simd.run(work);
        }
        if most >= Instructions::Avx2
            && let Some(simd) = avx2::Avx2::detect()
        {
            return simd.run(work);
        }
    }
    work.run(Portable)
}

/// Prefetches `memory` into the second-level cache, without waiting for it.
#[inline]
pub fn prefetch(memory: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        /// Floats per cache line.
        const LINE: usize = 16;
        for line in memory.chunks(LINE) {
            // SAFETY: every x86-64 has the instruction, and it is a hint: it neither faults nor changes what a program sees.
            unsafe { _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast()) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = memory;
}

/// Plain code, for any processor.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

/// Applies `f` to each lane.
#[inline(always)]
fn each(a: Lanes, f: impl Fn(f32) -> f32) -> Lanes {
    a.map(f)
}

/// Applies `f` to each pair of lanes.
#[inline(always)]
fn pairs(a: Lanes, b: Lanes, f: impl Fn(f32, f32) -> f32) -> Lanes {
    std::array::from_fn(|i| f(a[i], b[i]))
}

impl Simd for Portable {
    type Row = [Lanes; 2];
    type Part = [Lanes; 1];

    const BUSY: usize = 3;

    const TALL: [usize; 2] = [6, 0];
}

impl Vectors for Portable {
    type Vector = Lanes;

    #[inline(always)]
    fn splat(self, x: f32) -> Lanes {
        [x; LANES]
    }
    #[inline(always)]
    fn load(self, from: &Lanes) -> Lanes {
        *from
    }
    #[inline(always)]
    fn store(self, vector: Lanes, to: &mut Lanes) {
        *to = vector;
    }
    #[inline(always)]
    fn load_bytes(self, from: &Bytes) -> Lanes {
        from.map(f32::from)
    }
    #[inline(always)]
    fn store_bytes(self, vector: Lanes, to: &mut Bytes) {
        *to = vector.map(|number| number as u8);
    }
    #[inline(always)]
    fn add(self, a: Lanes, b: Lanes) -> Lanes {
        pairs(a, b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, a: Lanes, b: Lanes) -> Lanes {
        pairs(a, b, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, a: Lanes, b: Lanes) -> Lanes {
        pairs(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, a: Lanes, b: Lanes) -> Lanes {
        pairs(a, b, |a, b| a / b)
    }
    #[inline(always)]
    fn sqrt(self, a: Lanes) -> Lanes {
        each(a, f32::sqrt)
    }
    #[inline(always)]
    fn mul_add(self, a: Lanes, b: Lanes, c: Lanes) -> Lanes {
        // Not f32::mul_add, which is a function call without the instruction.
        self.add(self.mul(a, b), c)
    }
    #[inline(always)]
    fn rectify(self, a: Lanes) -> Lanes {
        each(a, |a| if a < 0.0 { 0.0 } else { a })
    }
    #[inline(always)]
    fn where_positive(self, a: Lanes, b: Lanes) -> Lanes {
        pairs(a, b, |a, b| if a > 0.0 { b } else { 0.0 })
    }
    #[inline(always)]
    fn where_equal(self, a: Lanes, b: Lanes, x: Lanes) -> Lanes {
        std::array::from_fn(|i| if a[i] == b[i] { x[i] } else { 0.0 })
    }
    #[inline(always)]
    fn where_equal_else(self, a: Lanes, b: Lanes, x: Lanes, y: Lanes) -> Lanes {
        std::array::from_fn(|i| if a[i] == b[i] { x[i] } else { y[i] })
    }
    #[inline(always)]
    fn max(self, a: Lanes, b: Lanes) -> Lanes {
        pairs(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn any_nan(self, a: Lanes) -> bool {
        a.iter().any(|a| a.is_nan())
    }
    #[inline(always)]
    fn where_larger(self, a: Lanes, best: Lanes, x: Lanes, y: Lanes) -> Lanes {
        let larger = |i: usize| a[i] > best[i] || (a[i].is_nan() && !best[i].is_nan());
        std::array::from_fn(|i| if larger(i) { x[i] } else { y[i] })
    }
    #[inline(always)]
    fn at_most(self, a: Lanes, limit: Lanes) -> Lanes {
        pairs(a, limit, |a, limit| if limit < a { limit } else { a })
    }
    #[inline(always)]
    fn floor(self, a: Lanes) -> Lanes {
        each(a, f32::floor)
    }
    #[inline(always)]
    fn power_of_two(self, n: Lanes) -> Lanes {
        each(n, |n| {
            f32::from_bits((n as i32).wrapping_add(127).cast_unsigned() << 23)
        })
    }
    #[inline(always)]
    fn magnitude(self, a: Lanes) -> Lanes {
        each(a, f32::abs)
    }
    #[inline(always)]
    fn with_sign(self, a: Lanes, of: Lanes) -> Lanes {
        pairs(a, of, |a, of| f32::from_bits(a.to_bits() | (of.to_bits() & SIGN)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every operation on a, b and c, one after the other.
    struct All<'a>([&'a Lanes; 3]);

    impl Work for All<'_> {
        type Output = Vec<Lanes>;

        #[inline(always)]
        fn run<S: Simd>(self, s: S) -> Vec<Lanes> {
            let [a, b, c] = self.0.map(|lanes| s.load(lanes));
            let results = [
                s.splat(2.5),
                s.add(a, b),
                s.sub(a, b),
                s.mul(a, b),
                s.div(a, b),
                s.sqrt(s.mul(a, a)),
                s.mul_add(a, b, c),
                s.rectify(a),
                s.where_positive(a, b),
                s.where_equal(a, s.splat(3.5), b),
                s.where_equal_else(a, s.splat(3.5), b, c),
                s.max(b, c),
                s.splat(f32::from(u8::from(s.any_nan(a)))),
                s.splat(f32::from(u8::from(s.any_nan(b)))),
                s.where_larger(a, b, c, b),
                s.where_larger(b, a, c, b),
                s.at_most(a, c),
                s.floor(a),
                s.power_of_two(s.floor(b)),
                s.magnitude(a),
                s.with_sign(s.magnitude(b), a),
            ];
            let mut lanes = vec![[0.0; LANES]; results.len()];
            lanes
                .iter_mut()
                .zip(results)
                .for_each(|(to, result)| s.store(result, to));
            lanes
        }
    }

    /// Bytes to lanes and back.
    struct There<'a>(&'a Bytes);

    impl Work for There<'_> {
        type Output = (Lanes, Bytes);

        #[inline(always)]
        fn run<S: Simd>(self, s: S) -> (Lanes, Bytes) {
            let (mut lanes, mut bytes) = ([0.0; LANES], [0; LANES]);
            let vector = s.load_bytes(self.0);
            s.store(vector, &mut lanes);
            s.store_bytes(vector, &mut bytes);
            (lanes, bytes)
        }
    }

    #[test]
    fn bytes_survive_the_way_there_and_back() {
        let bytes = [0, 1, 2, 127, 128, 200, 254, 255];
        let lanes = bytes.map(f32::from);
        assert_eq!(run(There(&bytes)), (lanes, bytes));
        assert_eq!(There(&bytes).run(Portable), (lanes, bytes));
    }

    #[test]
    fn the_processors_instructions_do_what_plain_code_does() {
        let a = [1.0, -2.0, 0.0, -0.0, 3.5, f32::NAN, f32::INFINITY, -7.25];
        let b = [4.0, 0.5, 2.0, 8.0, -1.0, 2.0, 3.0, 0.25];
        let c = [0.5; LANES];
        let (ours, plain) = (run(All([&a, &b, &c])), All([&a, &b, &c]).run(Portable));
        for (ours, plain) in ours.iter().flatten().zip(plain.iter().flatten()) {
            assert!(ours == plain || (ours.is_nan() && plain.is_nan()), "{ours} and {plain}");
        }
    }
}
