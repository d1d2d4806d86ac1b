//! The weight gradient: dw and db from x and dy.

use std::array;
use std::ops::Range;

use super::strip::unpack;
use super::{BLOCK, Kernel};
use crate::devices::cpu::Cpu;
use crate::ops::Chunks;
use crate::ops::tile::{PANEL, Panels, Places, Start, TOGETHER, tiles};

/// The operands of a weight gradient.
pub struct WeightGradient<'a> {
    /// x.
    pub x: &'a [f32],
    /// dy.
    pub dy: &'a [f32],
    /// dw.
    pub dw: &'a mut [f32],
    /// db.
    pub db: &'a mut [f32],
}

impl Kernel {
    /// dw and db: the first half of the batch, plus the second.
    pub fn backward_weights(self, cpu: &Cpu, chunks: &Chunks, operands: WeightGradient<'_>, space: &mut [f32]) {
        let WeightGradient { x, dy, dw, db } = operands;
        let (batch, block) = (chunks.batch(), self.block());
        let packed = &mut space[..self.input_panels() * batch * PANEL];
        cpu.threads.each_part(packed, batch * PANEL, |panel, packed| {
            pack_columns(x, self.inputs, panel * PANEL, packed);
        });
        let halves = chunks.halves();
        let rows = RowGradients {
            layer: self,
            batch,
            dy,
            packed: &*packed,
            // For a whole half: two devices add the sums of halves, so a half must not be split.
            places: (0..halves[0].len()).map(|n| (n * block) as u32).collect(),
            halves,
        };
        cpu.threads.each_part(dw, block * self.inputs, |number, dw| {
            let mut scratch = cpu.scratch.of(cpu.threads.worker());
            rows.write(number, dw, &mut scratch);
        });
        cpu.threads.each_part(db, 64, |i, db| {
            for (j, db) in db.iter_mut().enumerate() {
                let column = i * 64 + j;
                let [a, b] = chunks
                    .halves()
                    .map(|half| half.map(|n| dy[n * self.outputs + column]).sum::<f32>());
                *db = a + b;
            }
        });
    }
}

/// What all tasks of a weight gradient share. A task has some rows of dw.
struct RowGradients<'a> {
    layer: Kernel,
    batch: usize,
    dy: &'a [f32],
    /// x in panels of sixteen inputs.
    packed: &'a [f32],
    halves: [Range<usize>; 2],
    /// Where the images of a half begin in a task's gradients.
    places: Vec<u32>,
}

impl RowGradients<'_> {
    /// Writes the rows of task `number`.
    fn write(&self, number: usize, dw: &mut [f32], scratch: &mut [f32]) {
        let (layer, batch, block) = (self.layer, self.batch, self.layer.block());
        let (gradients, sums) = scratch.split_at_mut(batch * block);
        let outputs = dw.len() / layer.inputs;
        for (row, dy) in gradients
            .chunks_exact_mut(block)
            .zip(self.dy.chunks_exact(layer.outputs))
        {
            row[..outputs].copy_from_slice(&dy[number * block..][..outputs]);
        }
        let strips = self.packed.chunks(layer.strip_panels() * batch * PANEL);
        for (part, panels) in strips.enumerate() {
            self.sum_strip(part, panels, gradients, dw, sums);
            let columns = layer.columns(part);
            for (o, dw) in dw.chunks_exact_mut(layer.inputs).enumerate() {
                unpack(sums, block, o, &mut dw[columns.clone()]);
            }
        }
    }

    /// Computes the sums of one strip of dw, in panels. One half is processed at a time, so that its gradients, which all panels
    /// use, stay in the first-level cache.
    fn sum_strip(&self, part: usize, panels: &[f32], gradients: &[f32], dw: &[f32], sums: &mut [f32]) {
        let (layer, batch, block) = (self.layer, self.batch, self.layer.block());
        let strip = layer.strip(dw, &layer.columns(part));
        strip.find_pages();
        let bases: [u32; BLOCK] = array::from_fn(|o| o as u32);
        let outputs = dw.len() / layer.inputs;
        let pairs = panels.len().div_ceil(TOGETHER * batch * PANEL);
        let present = self.halves.iter().filter(|half| !half.is_empty()).count();
        for (number, half) in self.halves.iter().enumerate().filter(|(_, half)| !half.is_empty()) {
            let start = if number == 0 { Start::Zero } else { Start::Sum };
            let dy = Places {
                x: &gradients[half.start * block..half.end * block],
                bases: &bases[..outputs],
                offsets: &self.places[..half.len()],
            };
            let sums = sums.chunks_mut(TOGETHER * block * PANEL);
            for (pair, (x, sums)) in panels.chunks(TOGETHER * batch * PANEL).zip(sums).enumerate() {
                strip.fetch(number * pairs + pair, present * pairs);
                let x = Panels {
                    data: &x[half.start * PANEL..],
                    apart: batch * PANEL,
                    count: x.len() / (batch * PANEL),
                };
                tiles(dy, x, x.beside(sums, block * PANEL), start);
            }
        }
    }
}

/// Columns `first..first + 16` of all rows: `[row][16]`; columns beyond the last are zero.
fn pack_columns(rows: &[f32], units: usize, first: usize, packed: &mut [f32]) {
    let present = PANEL.min(units - first);
    for (packed, row) in packed
        .as_chunks_mut::<PANEL>()
        .0
        .iter_mut()
        .zip(rows.chunks_exact(units))
    {
        packed[..present].copy_from_slice(&row[first..first + present]);
        packed[present..].fill(0.0);
    }
}
