//! The forward pass: y from x.

use std::array;

use super::{BLOCK, DEPTH, Kernel, start};
use crate::devices::cpu::{Cpu, Threads};
use crate::ops::relu;
use crate::ops::tile::{PANEL, Panels, Places, TOGETHER, tiles};

/// The operands of a forward pass; the shapes are the layer's.
pub struct Forward<'a> {
    /// x.
    pub x: &'a [f32],
    /// w.
    pub weight: &'a [f32],
    /// b.
    pub bias: &'a [f32],
    /// y.
    pub y: &'a mut [f32],
    /// Whether max(0, y) is written instead.
    pub rectify: bool,
}

impl Kernel {
    /// y from x for `batch` rows.
    pub fn forward(self, cpu: &Cpu, batch: usize, operands: Forward<'_>, space: &mut [f32]) {
        let Forward {
            x,
            weight,
            bias,
            y,
            rectify,
        } = operands;
        let (panels, block) = (batch.div_ceil(PANEL), self.block());
        assert!(self.fits(), "the rows of a task are counted in 32 bits");
        let (images, rest) = space.split_at_mut(panels * self.inputs * PANEL);
        pack_images(&cpu.threads, &x[..batch * self.inputs], self.inputs, images);
        let sums = &mut rest[..self.outputs.div_ceil(block) * panels * block * PANEL];
        cpu.threads.each_part(sums, panels * block * PANEL, |number, sums| {
            let outputs = block.min(self.outputs - number * block);
            let weight = &weight[number * block * self.inputs..][..outputs * self.inputs];
            let bases: [u32; BLOCK] = array::from_fn(|o| (o * self.inputs) as u32);
            for (from, terms) in depths(self.inputs) {
                let x = Places {
                    x: weight,
                    bases: &bases[..outputs],
                    offsets: terms.list(),
                };
                let pairs = sums.chunks_mut(TOGETHER * block * PANEL);
                for (images, sums) in images.chunks(TOGETHER * self.inputs * PANEL).zip(pairs) {
                    let w = Panels {
                        data: &images[from * PANEL..],
                        apart: self.inputs * PANEL,
                        count: sums.len() / (block * PANEL),
                    };
                    tiles(x, w, w.beside(sums, block * PANEL), start(from));
                }
            }
        });
        let sums = &*sums;
        cpu.threads
            .each_part(&mut y[..batch * self.outputs], PANEL * self.outputs, |panel, y| {
                for (image, y) in y.chunks_exact_mut(self.outputs).enumerate() {
                    for (number, (y, bias)) in y.chunks_mut(block).zip(bias.chunks(block)).enumerate() {
                        let sums = sums[(number * panels + panel) * block * PANEL..].as_chunks::<PANEL>().0;
                        for ((y, bias), sums) in y.iter_mut().zip(bias).zip(sums) {
                            let sum = sums[image] + bias;
                            *y = if rectify { relu::rectify(sum) } else { sum };
                        }
                    }
                }
            });
    }
}

/// The places of some terms of a sum.
struct Terms {
    list: [u32; DEPTH],
    count: usize,
}

impl Terms {
    fn list(&self) -> &[u32] {
        &self.list[..self.count]
    }
}

/// The terms of a sum in parts: the first term of each part, and the places of its terms. One empty part if there are none.
fn depths(terms: usize) -> impl Iterator<Item = (usize, Terms)> {
    (0..terms.max(1)).step_by(DEPTH).map(move |from| {
        let list = array::from_fn(|j| (from + j) as u32);
        let count = DEPTH.min(terms - from);
        (from, Terms { list, count })
    })
}

/// Rows of `units` as panels of sixteen rows: `[row / 16][unit][row % 16]`; rows that the last panel lacks are zero.
fn pack_images(threads: &Threads, rows: &[f32], units: usize, packed: &mut [f32]) {
    threads.each_part(packed, units * PANEL, |panel, packed| {
        let rows = &rows[panel * PANEL * units..];
        let present = (rows.len() / units).min(PANEL);
        let packed = packed.as_chunks_mut::<PANEL>().0;
        for (image, row) in rows.chunks_exact(units).take(PANEL).enumerate() {
            packed
                .iter_mut()
                .zip(row)
                .for_each(|(packed, value)| packed[image] = *value);
        }
        packed.iter_mut().for_each(|packed| packed[present..].fill(0.0));
    });
}
