//! AVX-512: a row of sixteen floats is one register, and there are 32 of them.
#![allow(
    clippy::inline_always,
    reason = "operations must be inlined into the function that is compiled for the instruction set"
)]

use std::arch::x86_64::{
    __m256, __m512, _mm512_add_ps, _mm512_castps256_ps512, _mm512_castps512_ps256, _mm512_extractf32x8_ps,
    _mm512_fmadd_ps, _mm512_insertf32x8, _mm512_loadu_ps, _mm512_mul_ps, _mm512_set1_ps, _mm512_storeu_ps,
    _mm512_sub_ps,
};

use super::avx2::Avx;
use super::{Number, Part, ROW, Simd, Work};

/// Rows are one register.
pub type Avx512 = Avx<__m512>;

impl Avx512 {
    /// `Some` if the processor has F, VL and DQ, besides AVX2 and FMA.
    #[inline]
    pub fn detect() -> Option<Self> {
        let has = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma");
        // SAFETY: it has them all.
        has.then(|| unsafe { Self::new() })
    }

    /// Runs `work`, compiled for AVX-512.
    #[inline]
    pub fn run<W: Work>(self, work: W) -> W::Output {
        #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx2,fma")]
        fn compiled<W: Work>(simd: Avx512, work: W) -> W::Output {
            work.run(simd)
        }
        // SAFETY: an `Avx512` exists only if the processor has them all.
        unsafe { compiled(self, work) }
    }
}

impl Simd for Avx512 {
    type Row = __m512;
    type Part = __m512;

    const BUSY: usize = 12;

    /// For two panels, 16 registers of sums: each loaded value of x serves two multiply-adds, and there are enough general
    /// registers for eight places of x. For one panel, loads are the limit.
    const TALL: [usize; 2] = [10, 8];
}

// SAFETY of each operation: an `Avx512` exists only if the processor has the instructions; references are valid for sixteen
// floats, and no alignment is required.
impl Number<Avx512> for __m512 {
    #[inline(always)]
    fn splat(_: Avx512, x: f32) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_set1_ps(x) }
    }
    #[inline(always)]
    fn add(self, _: Avx512, b: Self) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_add_ps(self, b) }
    }
    #[inline(always)]
    fn sub(self, _: Avx512, b: Self) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_sub_ps(self, b) }
    }
    #[inline(always)]
    fn mul(self, _: Avx512, b: Self) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_mul_ps(self, b) }
    }
    #[inline(always)]
    fn mul_add(self, _: Avx512, b: Self, c: Self) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_fmadd_ps(self, b, c) }
    }
}

impl Part<Avx512> for __m512 {
    const VECTORS: usize = 2;

    #[inline(always)]
    fn load(_: Avx512, row: &[f32; ROW], _: usize) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_loadu_ps(row.as_ptr()) }
    }
    #[inline(always)]
    fn store(self, _: Avx512, row: &mut [f32; ROW], _: usize) {
        // SAFETY: as above.
        unsafe { _mm512_storeu_ps(row.as_mut_ptr(), self) }
    }
    #[inline(always)]
    fn join(_: Avx512, [left, right]: [__m256; 2]) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_insertf32x8::<1>(_mm512_castps256_ps512(left), right) }
    }
    #[inline(always)]
    fn vectors(self, _: Avx512) -> [__m256; 2] {
        // SAFETY: as above.
        unsafe { [_mm512_castps512_ps256(self), _mm512_extractf32x8_ps::<1>(self)] }
    }
}
