//! Dropout, a chunk of rows per task.

use super::Masks;
use crate::devices::cpu::{Cpu, Rows};
use crate::ops::Chunks;
use crate::ops::relu::cpu::PART;

/// Sets dropped units to zero, in place: y from x, or dx from dy. `first_row` is the number of the first row.
pub fn mask(cpu: &Cpu, chunks: &Chunks, rows: usize, masks: &Masks, first_row: usize, units: usize, x: &mut [f32]) {
    cpu.each_range(chunks.holding(rows), Rows::new(x, units), |chunk, x| {
        for (row, x) in chunk.zip(x.data.chunks_exact_mut(units)) {
            masks.apply(first_row + row, x);
        }
    });
}

/// y = (1 − p) x, in place.
pub fn scale(cpu: &Cpu, p: f32, x: &mut [f32]) {
    cpu.threads
        .each_part(x, PART, |_, x| x.iter_mut().for_each(|x| *x *= 1.0 - p));
}
