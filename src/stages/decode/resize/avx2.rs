//! The two passes with AVX2. All sums are of integers, so the results are exactly those of `portable`.

use std::arch::x86_64::{
    __m128i, __m256i, _mm_setr_epi8, _mm_unpackhi_epi8, _mm_unpacklo_epi8, _mm256_add_epi32, _mm256_cvtepu8_epi16,
    _mm256_madd_epi16, _mm256_packs_epi32, _mm256_packus_epi16, _mm256_permute4x64_epi64, _mm256_set_m128i,
    _mm256_set1_epi32, _mm256_shuffle_epi8, _mm256_srai_epi32,
};

use super::axis::Axis;
use super::{LINE_BITS, Rows, WEIGHT_BITS, portable};

/// How many values of a line are blended at once.
const AT_ONCE: usize = 16;

/// Blends rows from `first` on into `line`, two rows per multiplication.
#[target_feature(enable = "avx2")]
pub(super) fn down(rows: Rows<'_>, first: usize, weights: &[[i16; 2]], line: &mut [i16]) {
    const SHIFT: i32 = (WEIGHT_BITS - LINE_BITS) as i32;
    let Some(last) = line.len().checked_sub(AT_ONCE) else {
        return portable::down(rows, first, weights, line);
    };
    let rounding = _mm256_set1_epi32(1 << (SHIFT - 1));
    // The last 16 values end with the line, so some values are computed twice.
    for at in (0..last).step_by(AT_ONCE).chain([last]) {
        let (mut low, mut high) = (rounding, rounding);
        for (pair, weights) in weights.iter().enumerate() {
            let weights = _mm256_set1_epi32(both(*weights));
            let row = first + 2 * pair;
            let (upper, lower) = (bytes(rows.row(row), at), bytes(rows.row(row + 1), at));
            let left = _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(upper, lower));
            let right = _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(upper, lower));
            low = _mm256_add_epi32(low, _mm256_madd_epi16(left, weights));
            high = _mm256_add_epi32(high, _mm256_madd_epi16(right, weights));
        }
        let packed = _mm256_packs_epi32(_mm256_srai_epi32::<SHIFT>(low), _mm256_srai_epi32::<SHIFT>(high));
        // The pack instruction works within each half.
        let packed: __m256i = _mm256_permute4x64_epi64::<0b11_01_10_00>(packed);
        line[at..at + AT_ONCE].copy_from_slice(&bytemuck::cast::<_, [i16; AT_ONCE]>(packed));
    }
}

/// Blends pixels of two lines into two rows. One multiplication takes two taps of all three channels of both lines. The lines
/// have room for a load of 8 values at every tap.
#[target_feature(enable = "avx2")]
pub(super) fn across(axis: &Axis, [upper, lower]: [&[i16]; 2], [first, second]: [&mut [u8]; 2]) {
    const SHIFT: i32 = (WEIGHT_BITS + LINE_BITS) as i32;
    // r g b r' g' b' becomes r r' g g' b b' 0 0.
    let pairing = _mm_setr_epi8(0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11, -1, -1, -1, -1);
    let pairing = _mm256_set_m128i(pairing, pairing);
    let rounding = _mm256_set1_epi32(1 << (SHIFT - 1));
    let rows = first.chunks_exact_mut(3).zip(second.chunks_exact_mut(3));
    for ((upper_pixel, lower_pixel), (first, weights)) in rows.zip(axis.pixels()) {
        let mut sum = rounding;
        let span = 3 * first..3 * first + 6 * weights.len() + 2;
        let (upper, lower) = (&upper[span.clone()], &lower[span]);
        for (pair, weights) in weights.iter().enumerate() {
            let values = _mm256_set_m128i(shorts(lower, 6 * pair), shorts(upper, 6 * pair));
            let values = _mm256_shuffle_epi8(values, pairing);
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(values, _mm256_set1_epi32(both(*weights))));
        }
        let sum = _mm256_srai_epi32::<SHIFT>(sum);
        let shorts = _mm256_packs_epi32(sum, sum);
        let bytes = bytemuck::cast::<_, [[u8; 16]; 2]>(_mm256_packus_epi16(shorts, shorts));
        upper_pixel.copy_from_slice(&bytes[0][..3]);
        lower_pixel.copy_from_slice(&bytes[1][..3]);
    }
}

/// Two weights as one 32-bit lane.
fn both([a, b]: [i16; 2]) -> i32 {
    i32::from(a) & 0xffff | i32::from(b) << 16
}

/// 16 bytes from `at` on.
fn bytes(row: &[u8], at: usize) -> __m128i {
    let mut sixteen = [0; 16];
    sixteen.copy_from_slice(&row[at..at + 16]);
    bytemuck::cast(sixteen)
}

/// 8 values from `at` on.
fn shorts(line: &[i16], at: usize) -> __m128i {
    let mut eight = [0; 8];
    eight.copy_from_slice(&line[at..at + 8]);
    bytemuck::cast(eight)
}
