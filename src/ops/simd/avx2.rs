//! AVX2 with fused multiply-add. [`avx512`](super::avx512) shares its vectors of eight floats.
#![allow(
    clippy::inline_always,
    reason = "operations must be inlined into the function that is compiled for the instruction set"
)]

use std::arch::x86_64::{
    __m256, _CMP_EQ_OQ, _CMP_GT_OQ, _CMP_NLE_UQ, _CMP_ORD_Q, _CMP_UNORD_Q, _mm_loadl_epi64, _mm_packus_epi16,
    _mm_packus_epi32, _mm_storel_epi64, _mm256_add_epi32, _mm256_add_ps, _mm256_and_ps, _mm256_andnot_ps,
    _mm256_blendv_ps, _mm256_castsi256_ps, _mm256_castsi256_si128, _mm256_cmp_ps, _mm256_cvtepi32_ps,
    _mm256_cvtepu8_epi32, _mm256_cvttps_epi32, _mm256_div_ps, _mm256_extracti128_si256, _mm256_floor_ps,
    _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_max_ps, _mm256_min_ps, _mm256_movemask_ps, _mm256_mul_ps, _mm256_or_ps,
    _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps, _mm256_slli_epi32, _mm256_sqrt_ps, _mm256_storeu_ps,
    _mm256_sub_ps,
};
use std::marker::PhantomData;

use super::{Bytes, Lanes, SIGN, Simd, Vectors, Work};

/// Proof that the processor has AVX2, FMA and everything that rows of `R` need. Only `detect` makes one.
#[derive(Clone, Copy, Debug)]
pub struct Avx<R>(PhantomData<R>);

impl<R> Avx<R> {
    /// # Safety
    /// The processor must have AVX2, FMA and everything that rows of `R` need.
    pub(super) unsafe fn new() -> Self {
        Self(PhantomData)
    }
}

/// Rows are two registers.
pub type Avx2 = Avx<[__m256; 2]>;

impl Avx2 {
    /// `Some` if the processor has both.
    #[inline]
    pub fn detect() -> Option<Self> {
        let has = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        // SAFETY: it has both.
        has.then(|| unsafe { Self::new() })
    }

    /// Runs `work`, compiled for AVX2 and FMA.
    #[inline]
    pub fn run<W: Work>(self, work: W) -> W::Output {
        #[target_feature(enable = "avx2,fma")]
        fn compiled<W: Work>(simd: Avx2, work: W) -> W::Output {
            work.run(simd)
        }
        // SAFETY: an `Avx2` exists only if the processor has both.
        unsafe { compiled(self, work) }
    }
}

impl Simd for Avx2 {
    type Row = [__m256; 2];
    type Part = [__m256; 1];

    const BUSY: usize = 6;

    /// 12 of 16 registers hold sums, two hold w and one holds x.
    const TALL: [usize; 2] = [6, 0];
}

// SAFETY of each operation: an `Avx` exists only if the processor has the instructions; references are valid for eight
// floats, and no alignment is required.
impl<R: Copy + Send + Sync> Vectors for Avx<R> {
    type Vector = __m256;

    #[inline(always)]
    fn splat(self, x: f32) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_set1_ps(x) }
    }
    #[inline(always)]
    fn load(self, from: &Lanes) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_loadu_ps(from.as_ptr()) }
    }
    #[inline(always)]
    fn store(self, vector: __m256, to: &mut Lanes) {
        // SAFETY: as above.
        unsafe { _mm256_storeu_ps(to.as_mut_ptr(), vector) }
    }
    #[inline(always)]
    fn load_bytes(self, from: &Bytes) -> __m256 {
        // SAFETY: as above; `from` is eight bytes.
        unsafe { _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(from.as_ptr().cast()))) }
    }
    #[inline(always)]
    fn store_bytes(self, vector: __m256, to: &mut Bytes) {
        // SAFETY: as above; `to` is eight bytes.
        unsafe {
            let numbers = _mm256_cvttps_epi32(vector);
            let [low, high] = [_mm256_castsi256_si128(numbers), _mm256_extracti128_si256::<1>(numbers)];
            let words = _mm_packus_epi32(low, high);
            _mm_storel_epi64(to.as_mut_ptr().cast(), _mm_packus_epi16(words, words));
        }
    }
    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_mul_ps(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_div_ps(a, b) }
    }
    #[inline(always)]
    fn sqrt(self, a: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_sqrt_ps(a) }
    }
    #[inline(always)]
    fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn rectify(self, a: __m256) -> __m256 {
        // SAFETY: as above. For (0, NaN) the instruction returns the second operand.
        unsafe { _mm256_max_ps(_mm256_setzero_ps(), a) }
    }
    #[inline(always)]
    fn where_positive(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(a, _mm256_setzero_ps()), b) }
    }
    #[inline(always)]
    fn where_equal(self, a: __m256, b: __m256, x: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_and_ps(_mm256_cmp_ps::<_CMP_EQ_OQ>(a, b), x) }
    }
    #[inline(always)]
    fn where_equal_else(self, a: __m256, b: __m256, x: __m256, y: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_blendv_ps(y, x, _mm256_cmp_ps::<_CMP_EQ_OQ>(a, b)) }
    }
    #[inline(always)]
    fn max(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_max_ps(a, b) }
    }
    #[inline(always)]
    fn any_nan(self, a: __m256) -> bool {
        // SAFETY: as above.
        unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_UNORD_Q>(a, a)) != 0 }
    }
    #[inline(always)]
    fn where_larger(self, a: __m256, best: __m256, x: __m256, y: __m256) -> __m256 {
        // SAFETY: as above. Not (a <= best) is also true if either is NaN; if `best` is NaN, y is chosen.
        unsafe {
            let larger = _mm256_cmp_ps::<_CMP_NLE_UQ>(a, best);
            let number = _mm256_cmp_ps::<_CMP_ORD_Q>(best, best);
            _mm256_blendv_ps(y, x, _mm256_and_ps(larger, number))
        }
    }
    #[inline(always)]
    fn at_most(self, a: __m256, limit: __m256) -> __m256 {
        // SAFETY: as above. For (limit, NaN) the instruction returns the second operand.
        unsafe { _mm256_min_ps(limit, a) }
    }
    #[inline(always)]
    fn floor(self, a: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_floor_ps(a) }
    }
    #[inline(always)]
    fn power_of_two(self, n: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe {
            let exponent = _mm256_add_epi32(_mm256_cvttps_epi32(n), _mm256_set1_epi32(127));
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))
        }
    }
    #[inline(always)]
    fn magnitude(self, a: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_andnot_ps(_mm256_set1_ps(f32::from_bits(SIGN)), a) }
    }
    #[inline(always)]
    fn with_sign(self, a: __m256, of: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_or_ps(a, _mm256_and_ps(_mm256_set1_ps(f32::from_bits(SIGN)), of)) }
    }
}
