//! Fully connected layer: the tiles of direct convolution, over panels of sixteen images or of sixteen inputs.
//!
//! * forward: a panel is sixteen images, a tile is some outputs, the sum goes over the inputs: w is read as it lies, once;
//! * data gradient: a panel is sixteen inputs of w, a tile is some images, the sum goes over the outputs;
//! * weight gradient: a panel is sixteen inputs of x, a tile is some outputs, the sum goes over the images of each half.
//!
//! How a row is summed does not depend on the rows beside it, so that a device with half of the batch has the same bits.

use std::array;
use std::ops::Range;

use super::Geometry;
use super::strip::{Strip, unpack};
use crate::devices::cpu::{Cpu, Threads};
use crate::ops::tile::{PANEL, Panels, Places, Start, TOGETHER, tiles};
use crate::ops::{Chunks, relu};

/// Outputs of one task, at most, a multiple of a tile's six and eight: x, which comes from the shared cache, is read once for all of
/// them.
const BLOCK: usize = 96;

/// Terms of one sum: two panels of them stay in the nearest cache.
const DEPTH: usize = 256;

/// Outputs whose weights are copied together for the data gradient, and panels of inputs that are worked on together, at most: two
/// strips of w and the sums of 128 images (131 KB each) stay in the second-level cache.
const ROWS: usize = 128;
const COLUMNS: usize = 16;

/// Tasks that a layer should have, at least: for threads to share them evenly.
const TASKS: usize = 16;

/// Rows from one panel of a strip to the next: panels 4 KiB apart would share a set of the nearest cache.
const PITCH: usize = ROWS + 2;

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

impl Geometry {
    fn input_panels(self) -> usize {
        self.inputs.div_ceil(PANEL)
    }

    /// Outputs of one task.
    fn block(self) -> usize {
        BLOCK.min(self.outputs.div_ceil(TASKS).next_multiple_of(8))
    }

    /// Panels of inputs that are worked on together.
    fn strip_panels(self) -> usize {
        COLUMNS.min(self.input_panels().div_ceil(TASKS).next_multiple_of(TOGETHER))
    }

    /// Whether the rows of a task can be counted in 32 bits.
    pub fn fits(self) -> bool {
        u32::try_from(self.block().saturating_mul(self.inputs)).is_ok()
    }

    /// Floats that a pass borrows, for all threads.
    pub fn space(self, batch: usize) -> usize {
        let images = batch.next_multiple_of(PANEL);
        let forward = images * (self.inputs + self.outputs.next_multiple_of(self.block()));
        let backward = batch * (self.input_panels() * PANEL + self.outputs.next_multiple_of(ROWS));
        forward.max(backward)
    }

    /// Floats of scratch that one task borrows.
    pub fn scratch(self, batch: usize) -> usize {
        let columns = self.strip_panels() * PANEL;
        (PITCH * columns).max(self.block() * (batch + columns))
    }

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

    /// dw and db: the first half of the batch, plus the second.
    pub fn backward_weights(self, cpu: &Cpu, chunks: &Chunks, operands: WeightGradient<'_>, space: &mut [f32]) {
        let WeightGradient { x, dy, dw, db } = operands;
        let (batch, block, columns) = (chunks.batch(), self.block(), self.strip_panels());
        let packed = &mut space[..self.input_panels() * batch * PANEL];
        cpu.threads.each_part(packed, batch * PANEL, |panel, packed| {
            pack_columns(x, self.inputs, panel * PANEL, packed);
        });
        let packed = &*packed;
        let halves = chunks.halves();
        let present = halves.iter().filter(|half| !half.is_empty()).count();
        // Of a whole half: two devices add the sums of halves, so that none may be cut.
        let places: Vec<u32> = (0..halves[0].len()).map(|n| (n * block) as u32).collect();
        cpu.threads.each_part(dw, block * self.inputs, |number, dw| {
            let mut scratch = cpu.scratch.of(cpu.threads.worker());
            let (gradients, sums) = scratch.split_at_mut(batch * block);
            let outputs = dw.len() / self.inputs;
            for (row, dy) in gradients.chunks_exact_mut(block).zip(dy.chunks_exact(self.outputs)) {
                row[..outputs].copy_from_slice(&dy[number * block..][..outputs]);
            }
            let bases: [u32; BLOCK] = array::from_fn(|o| o as u32);
            for (part, panels) in packed.chunks(columns * batch * PANEL).enumerate() {
                let columns = self.columns(part);
                let strip = self.strip(dw, &columns);
                strip.find_pages();
                let pairs = panels.len().div_ceil(TOGETHER * batch * PANEL);
                // Half by half, so that what all panels are multiplied by stays in the nearest cache.
                for (number, half) in halves.iter().enumerate().filter(|(_, half)| !half.is_empty()) {
                    let start = if number == 0 { Start::Zero } else { Start::Sum };
                    let gradients = &gradients[half.start * block..half.end * block];
                    let dy = Places {
                        x: gradients,
                        bases: &bases[..outputs],
                        offsets: &places[..half.len()],
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
                for (o, dw) in dw.chunks_exact_mut(self.inputs).enumerate() {
                    unpack(sums, block, o, &mut dw[columns.clone()]);
                }
            }
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
                // Some panels at a time: an image's sums are so far apart that they share a set of the cache.
                for (block, sums) in sums.chunks(part).enumerate() {
                    for (image, dx) in dx.chunks_exact_mut(self.inputs).enumerate() {
                        unpack(sums, batch, panel * PANEL + image, &mut dx[self.columns(block)]);
                    }
                }
            });
    }

    /// Columns of w or dw that are worked on together.
    fn columns(self, block: usize) -> Range<usize> {
        let width = self.strip_panels() * PANEL;
        block * width..((block + 1) * width).min(self.inputs)
    }

    /// `columns` of some rows of w or dw.
    fn strip<'a>(self, rows: &'a [f32], columns: &Range<usize>) -> Strip<'a> {
        Strip {
            rows,
            width: self.inputs,
            from: columns.start,
            to: columns.end,
        }
    }
}

/// Whether the sum that goes on at term `from` starts there.
fn start(from: usize) -> Start {
    if from == 0 { Start::Zero } else { Start::Sum }
}

/// Places of some terms of a sum.
struct Terms {
    list: [u32; DEPTH],
    count: usize,
}

impl Terms {
    fn list(&self) -> &[u32] {
        &self.list[..self.count]
    }
}

/// The terms of a sum in parts: the first of each, and their places. One empty part where there are none.
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
