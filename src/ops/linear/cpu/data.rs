//! The data gradient: dx from dy.

use std::array;

use super::strip::unpack;
use super::{Kernel, PITCH, ROWS, start};
use crate::devices::cpu::Cpu;
use crate::ops::tile::{PANEL, Panels, Places, TOGETHER, tiles};

impl Kernel {
    /// dx for `batch` rows.
    pub fn backward_data(self, cpu: &Cpu, batch: usize, weight: &[f32], dy: &[f32], dx: &mut [f32], space: &mut [f32]) {
        let part = self.strip_panels() * batch * PANEL;
        let (sums, rest) = space.split_at_mut(self.input_panels() * batch * PANEL);
        let gradients = &mut rest[..batch * self.outputs.next_multiple_of(ROWS)];
        cpu.threads.each_part(gradients, batch * ROWS, |part, gradients| {
            let first = part * ROWS;
            let rows = ROWS.min(self.outputs - first);
            for (row, dy) in gradients.chunks_exact_mut(ROWS).zip(dy.chunks_exact(self.outputs)) {
                row[..rows].copy_from_slice(&dy[first..first + rows]);
            }
        });
        let gradients = &*gradients;
        let places: [u32; ROWS] = array::from_fn(|o| o as u32);
        let images: Vec<u32> = (0..batch).map(|n| (n * ROWS) as u32).collect();
        cpu.threads.each_part(sums, part, |block, sums| {
            let mut packed = cpu.scratch.of(cpu.threads.worker());
            let columns = self.columns(block);
            let pairs = sums.len().div_ceil(TOGETHER * batch * PANEL);
            let mut strips = weight
                .chunks(ROWS * self.inputs)
                .map(|rows| self.strip(rows, &columns))
                .peekable();
            for (number, gradients) in gradients.chunks_exact(batch * ROWS).enumerate() {
                let strip = strips.next().expect("as many strips as parts of dy");
                let rows = strip.rows.len() / self.inputs;
                strip.pack(PITCH, &mut packed);
                let next = strips.peek();
                next.inspect(|next| next.find_pages());
                let packed = packed.chunks(TOGETHER * PITCH * PANEL);
                for (pair, (packed, sums)) in packed.zip(sums.chunks_mut(TOGETHER * batch * PANEL)).enumerate() {
                    next.inspect(|next| next.fetch(pair, pairs));
                    let w = Panels {
                        data: packed,
                        apart: PITCH * PANEL,
                        count: sums.len() / (batch * PANEL),
                    };
                    let dy = Places {
                        x: gradients,
                        bases: &images,
                        offsets: &places[..rows],
                    };
                    tiles(dy, w, w.beside(sums, batch * PANEL), start(number));
                }
            }
        });
        let sums = &*sums;
        cpu.threads
            .each_part(&mut dx[..batch * self.inputs], PANEL * self.inputs, |panel, dx| {
                // A few panels at a time: the sums of an image are so far apart that they share a set of the cache.
                for (block, sums) in sums.chunks(part).enumerate() {
                    for (image, dx) in dx.chunks_exact_mut(self.inputs).enumerate() {
                        unpack(sums, batch, panel * PANEL + image, &mut dx[self.columns(block)]);
                    }
                }
            });
    }
}
