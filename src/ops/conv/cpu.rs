//! Convolution on the CPU: a chunk of images per task, by direct convolution or by matrix products.
//!
//! Which of the two is a question of the shape alone. The weight gradient is summed over the images of a chunk in order,
//! and over chunks in [`Geometry::reduce`]: the same bits for any number of threads.

use std::ops::Range;

use super::Geometry;
use super::direct::{self, Weights};
use super::layout::Layout;
use crate::devices::cpu::{Cpu, Parts, Rows};
use crate::ops::Chunks;

/// What the backward pass reads.
#[derive(Clone, Copy, Debug)]
pub struct Saved<'a> {
    /// x, as it was in the forward pass.
    pub input: &'a [f32],
    /// w.
    pub weight: &'a [f32],
}

impl Geometry {
    /// y from x for the chunks that hold the first `rows` images; `rectify` applies max(0, ·) on the way.
    #[allow(clippy::too_many_arguments, reason = "the operands of a convolution")]
    pub fn forward(
        &self,
        cpu: &Cpu,
        chunks: &Chunks,
        rows: usize,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        y: &mut [f32],
        rectify: bool,
    ) {
        let direct = self.is_direct();
        let step = self.step(direct, chunks);
        cpu.each_range(chunks.holding(rows), Rows::new(y, self.output.len()), |chunk, y| {
            let mut scratch = cpu.scratch.of(cpu.threads.worker());
            let parts = y.data.chunks_mut(step * self.output.len());
            for (images, y) in steps(chunk, step).zip(parts) {
                if direct {
                    let x = rows_of(x, &images, self.input.len());
                    let (layout, weights) = (Layout::new(self, images.len()), Weights::forward(weight, self));
                    direct::forward(&layout, x, weights, Some(bias), y, rectify, &mut scratch);
                } else {
                    self.forward_images(x, images, weight, bias, y, rectify, &mut scratch);
                }
            }
        });
    }

    /// dw and db into `partial` (one part per chunk, see [`Geometry::partial`]), and dx where it is wanted.
    #[allow(clippy::too_many_arguments, reason = "the operands of a convolution")]
    pub fn backward(
        &self,
        cpu: &Cpu,
        chunks: &Chunks,
        rows: usize,
        saved: Saved<'_>,
        dy: &[f32],
        partial: &mut [f32],
        dx: Option<&mut [f32]>,
    ) {
        let transposed = self.transposed();
        let data = (
            Parts::new(partial, self.partial()),
            dx.map(|dx| Rows::new(dx, self.input.len())),
        );
        cpu.each_range(chunks.holding(rows), data, |chunk, (partial, dx)| {
            let mut scratch = cpu.scratch.of(cpu.threads.worker());
            let (dw, db) = partial.data.split_at_mut(self.weights());
            self.backward_weights(chunks, chunk.clone(), saved.input, dy, dw, &mut scratch);
            self.backward_bias(rows_of(dy, &chunk, self.output.len()), db);
            match (dx, &transposed) {
                (Some(dx), Some(transposed)) => {
                    let weights = Weights::backward(saved.weight, self);
                    let step = transposed.step(true, chunks);
                    let parts = dx.data.chunks_mut(step * self.input.len());
                    for (images, dx) in steps(chunk, step).zip(parts) {
                        let dy = rows_of(dy, &images, self.output.len());
                        let layout = Layout::new(transposed, images.len());
                        direct::forward(&layout, dy, weights, None, dx, false, &mut scratch);
                    }
                }
                (Some(dx), None) => {
                    let step = self.step(false, chunks);
                    let parts = dx.data.chunks_mut(step * self.input.len());
                    for (images, dx) in steps(chunk, step).zip(parts) {
                        self.backward_data_images(saved.weight, images, dy, dx, &mut scratch);
                    }
                }
                (None, _) => {}
            }
        });
    }

    /// dw of one chunk.
    fn backward_weights(
        &self,
        chunks: &Chunks,
        chunk: Range<usize>,
        x: &[f32],
        dy: &[f32],
        dw: &mut [f32],
        scratch: &mut [f32],
    ) {
        dw.fill(0.0);
        let direct = self.is_direct();
        for images in steps(chunk, self.step(direct, chunks)) {
            if direct {
                let x = rows_of(x, &images, self.input.len());
                let dy = rows_of(dy, &images, self.output.len());
                direct::backward_weights(&Layout::new(self, images.len()), x, dy, dw, scratch);
            } else {
                self.backward_weights_images(x, images, dy, dw, scratch);
            }
        }
    }

    /// db of one chunk, from its dy.
    fn backward_bias(&self, dy: &[f32], db: &mut [f32]) {
        db.fill(0.0);
        for dy in dy.chunks_exact(self.output.len()) {
            for (db, dy) in db.iter_mut().zip(dy.chunks_exact(self.output.plane())) {
                *db += sum(dy);
            }
        }
    }

    /// dw and db from the partial sums of the chunks that hold the first `rows` images.
    pub fn reduce(&self, cpu: &Cpu, chunks: &Chunks, rows: usize, partial: &[f32], dw: &mut [f32], db: &mut [f32]) {
        let used = &partial[..chunks.holding(rows).len() * self.partial()];
        let weights = self.weights();
        cpu.threads.each_part(dw, 16 * 1024, |i, dw| {
            sum_chunks(self.partial(), chunks, used, i * 16 * 1024, dw);
        });
        sum_chunks(self.partial(), chunks, used, weights, db);
    }
}

/// `chunk` in steps of `step` images.
fn steps(chunk: Range<usize>, step: usize) -> impl Iterator<Item = Range<usize>> {
    let end = chunk.end;
    chunk.step_by(step).map(move |first| first..(first + step).min(end))
}

/// What belongs to `images` in a buffer of `len` elements for each.
fn rows_of<'a>(data: &'a [f32], images: &Range<usize>, len: usize) -> &'a [f32] {
    &data[images.start * len..images.end * len]
}

/// The sum of `values`, in eight lanes and then across them.
fn sum(values: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 8];
    let (eights, rest) = values.as_chunks::<8>();
    for eight in eights {
        for (lane, value) in lanes.iter_mut().zip(eight) {
            *lane += value;
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().sum::<f32>()
}

/// `to[i]` = the first half's chunks in order, plus the second half's chunks in order, at `offset + i` of each part.
fn sum_chunks(part: usize, chunks: &Chunks, partial: &[f32], offset: usize, to: &mut [f32]) {
    const LANES: usize = 256;
    let used = partial.len() / part;
    let middle = chunks.in_first_half().min(used);
    for (block, to) in to.chunks_mut(LANES).enumerate() {
        let at = offset + block * LANES;
        let mut halves = [[0.0f32; LANES]; 2];
        for (half, range) in halves.iter_mut().zip([0..middle, middle..used]) {
            for chunk in range {
                for (sum, value) in half.iter_mut().zip(&partial[chunk * part + at..][..to.len()]) {
                    *sum += value;
                }
            }
        }
        for ((to, a), b) in to.iter_mut().zip(&halves[0]).zip(&halves[1]) {
            *to = a + b;
        }
    }
}
