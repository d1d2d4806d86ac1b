//! Convolution as matrix products over windows laid out as columns, a chunk of images per task.

use std::ops::Range;

use super::{Geometry, patches};
use crate::devices::cpu::{Cpu, Parts, Rows};
use crate::ops::matrix::{Matrix, MatrixMut, product};
use crate::ops::{Chunks, relu};

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
        cpu.each_range(chunks.holding(rows), Rows::new(y, self.output.len()), |chunk, y| {
            let mut scratch = cpu.scratch.of(cpu.threads.worker());
            let step = self.images_at_once(chunks.longest());
            let image = self.output.len();
            for first in chunk.clone().step_by(step) {
                let images = first..(first + step).min(chunk.end);
                let y = &mut y.data[(images.start - chunk.start) * image..(images.end - chunk.start) * image];
                self.forward_images(x, images, weight, bias, y, rectify, &mut scratch);
            }
        });
    }

    #[allow(clippy::too_many_arguments, reason = "the operands of a convolution")]
    fn forward_images(
        &self,
        x: &[f32],
        images: Range<usize>,
        weight: &[f32],
        bias: &[f32],
        y: &mut [f32],
        rectify: bool,
        scratch: &mut [f32],
    ) {
        let (patch, outputs, plane) = (self.patch(), self.group_outputs(), self.output.plane());
        let columns = images.len() * plane;
        let (windows, sums) = scratch.split_at_mut(patch * columns);
        for group in 0..self.groups {
            self.gather_images(x, images.clone(), group, windows);
            let weight = Matrix::new(&weight[group * outputs * patch..], outputs, patch);
            product(
                &mut MatrixMut::new(sums, outputs, columns),
                false,
                weight,
                Matrix::new(windows, patch, columns),
            );
            for (o, sums) in sums.chunks_exact(columns).take(outputs).enumerate() {
                let channel = group * outputs + o;
                for (i, sums) in sums.chunks_exact(plane).enumerate() {
                    let y = &mut y[(i * self.output.channels + channel) * plane..][..plane];
                    add_bias(y, sums, bias[channel], rectify);
                }
            }
        }
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
        let data = (
            Parts::new(partial, self.partial()),
            dx.map(|dx| Rows::new(dx, self.input.len())),
        );
        cpu.each_range(chunks.holding(rows), data, |chunk, (partial, dx)| {
            let mut scratch = cpu.scratch.of(cpu.threads.worker());
            let step = self.images_at_once(chunks.longest());
            let mut dx = dx.map(|dx| dx.data);
            partial.data.fill(0.0);
            for first in chunk.clone().step_by(step) {
                let images = first..(first + step).min(chunk.end);
                let offset = images.start - chunk.start;
                let part = offset * self.input.len()..(offset + images.len()) * self.input.len();
                let dx = dx.as_mut().map(|dx| &mut dx[part]);
                self.backward_images(saved, images, dy, partial.data, dx, &mut scratch);
            }
        });
    }

    fn backward_images(
        &self,
        saved: Saved<'_>,
        images: Range<usize>,
        dy: &[f32],
        partial: &mut [f32],
        mut dx: Option<&mut [f32]>,
        scratch: &mut [f32],
    ) {
        let (patch, outputs, plane) = (self.patch(), self.group_outputs(), self.output.plane());
        let columns = images.len() * plane;
        let (windows, gradients) = scratch.split_at_mut(patch * columns);
        let (dw, db) = partial.split_at_mut(self.weights());
        for group in 0..self.groups {
            let gradients = &mut gradients[..outputs * columns];
            self.gather_gradients(dy, images.clone(), group, gradients);
            for (db, dy) in db[group * outputs..].iter_mut().zip(gradients.chunks_exact(columns)) {
                *db += sum(dy);
            }
            self.gather_images(saved.input, images.clone(), group, windows);
            let dy = Matrix::new(gradients, outputs, columns);
            let mut dw = MatrixMut::new(&mut dw[group * outputs * patch..], outputs, patch);
            product(&mut dw, true, dy, Matrix::new(windows, patch, columns).transposed());
            if let Some(dx) = &mut dx {
                let weight = Matrix::new(&saved.weight[group * outputs * patch..], outputs, patch).transposed();
                product(&mut MatrixMut::new(windows, patch, columns), false, weight, dy);
                let maps = self.group_inputs() * self.input.plane();
                for (i, dx) in dx.chunks_exact_mut(self.input.len()).enumerate() {
                    let maps = &mut dx[group * maps..(group + 1) * maps];
                    patches::scatter(self, windows, columns, i * plane, maps);
                }
            }
        }
    }

    /// The windows of `images` side by side.
    fn gather_images(&self, x: &[f32], images: Range<usize>, group: usize, windows: &mut [f32]) {
        let (plane, maps) = (self.output.plane(), self.group_inputs() * self.input.plane());
        let columns = images.len() * plane;
        for (i, image) in images.enumerate() {
            let maps = &x[image * self.input.len() + group * maps..][..maps];
            patches::gather(self, maps, windows, columns, i * plane);
        }
    }

    /// dy of one group as [o][image][q][r].
    fn gather_gradients(&self, dy: &[f32], images: Range<usize>, group: usize, gradients: &mut [f32]) {
        let (plane, outputs) = (self.output.plane(), self.group_outputs());
        for (o, to) in gradients.chunks_exact_mut(images.len() * plane).enumerate() {
            for (to, image) in to.chunks_exact_mut(plane).zip(images.clone()) {
                to.copy_from_slice(&dy[image * self.output.len() + (group * outputs + o) * plane..][..plane]);
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

/// y = sums + b, rectified where asked.
fn add_bias(y: &mut [f32], sums: &[f32], bias: f32, rectify: bool) {
    if rectify {
        y.iter_mut()
            .zip(sums)
            .for_each(|(y, sum)| *y = relu::rectify(sum + bias));
    } else {
        y.iter_mut().zip(sums).for_each(|(y, sum)| *y = sum + bias);
    }
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
