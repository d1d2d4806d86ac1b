//! Dropout on the CPU: vectorized masks in training, one multiplication in evaluation.
#![allow(
    clippy::inline_always,
    reason = "loops must be inlined into the function that is compiled for the instruction set"
)]

use super::Masks;
use crate::ops::simd::{self, Simd, Work};
use crate::rng::Philox;

/// y = (1 − p) x, in place.
pub fn scale(p: f32, x: &mut [f32]) {
    x.iter_mut().for_each(|x| *x *= 1.0 - p);
}

/// How many groups of four random numbers are made at a time.
const GROUPS: usize = 16;

/// Sets the dropped units to zero. The random numbers are those of `random` from its next group on.
pub(super) fn apply(masks: &Masks, random: Philox, units: &mut [f32]) {
    simd::run(Apply { masks, random, units });
}

struct Apply<'a> {
    masks: &'a Masks,
    random: Philox,
    units: &'a mut [f32],
}

impl Work for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, _: S) {
        let (whole, rest) = self.units.as_chunks_mut::<{ 4 * GROUPS }>();
        for units in whole {
            let numbers = self.random.next_groups::<GROUPS>();
            for (group, units) in units.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                for (numbers, unit) in numbers.iter().zip(units) {
                    self.masks.drop(numbers[group], unit);
                }
            }
        }
        for unit in rest {
            self.masks.drop(self.random.next_u32(), unit);
        }
    }
}
