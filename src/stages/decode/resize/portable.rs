//! The two passes in plain code.

use super::axis::Axis;
use super::{LINE_BITS, Rows, WEIGHT_BITS};

/// Blends rows from `first` on into `line`.
pub(super) fn down(rows: Rows<'_>, first: usize, weights: &[[i16; 2]], line: &mut [i16]) {
    const SHIFT: u32 = WEIGHT_BITS - LINE_BITS;
    for (x, value) in line.iter_mut().enumerate() {
        let mut sum = 1 << (SHIFT - 1);
        for (tap, weight) in weights.as_flattened().iter().enumerate() {
            sum += i32::from(*weight) * i32::from(rows.row(first + tap)[x]);
        }
        *value = (sum >> SHIFT) as i16;
    }
}

/// Blends pixels of `line` into `out`.
pub(super) fn across(axis: &Axis, line: &[i16], out: &mut [u8]) {
    const SHIFT: u32 = WEIGHT_BITS + LINE_BITS;
    for (pixel, (first, weights)) in out.chunks_exact_mut(3).zip(axis.pixels()) {
        let taps = &line[3 * first..][..6 * weights.len()];
        for (channel, value) in pixel.iter_mut().enumerate() {
            let mut sum = 1 << (SHIFT - 1);
            for (tap, weight) in taps.chunks_exact(3).zip(weights.as_flattened()) {
                sum += i32::from(*weight) * i32::from(tap[channel]);
            }
            *value = (sum >> SHIFT) as u8;
        }
    }
}
