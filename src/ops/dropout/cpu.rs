//! Dropout on the CPU: vectorized masks in training, one multiplication in evaluation.
#![allow(
    clippy::inline_always,
    reason = "loops must be inlined into the function that is compiled for the instruction set"
)]

use super::{Masks, Units};
use crate::ops::simd::{self, Simd, Work};
use crate::rng::Philox;

/// y = (1 − p) x, in place.
pub fn scale(p: f32, x: &mut [f32]) {
    x.iter_mut().for_each(|x| *x *= 1.0 - p);
}

/// How many groups of four random numbers are made at a time.
const GROUPS: usize = 16;

/// Sets the dropped units of `row` to zero. `units` are those at `place`.
pub fn apply(masks: &Masks, row: usize, place: Units, units: &mut [f32]) {
    let mut random = masks.random(row, place);
    // The units up to the beginning of a group of four numbers.
    let (before, units) = units.split_at_mut((place.first.next_multiple_of(4) - place.first).min(units.len()));
    if !before.is_empty() {
        (0..place.first % 4).for_each(|_| _ = random.next_u32());
    }
    for unit in before {
        masks.drop(random.next_u32(), unit);
    }
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
