//! Fully connected layer: blocks of units, each a matrix product over each half of the batch.
//!
//! How `gemm` sums depends on the shape of the product. With the halves apart it is the same on two devices as on one.

use std::ops::{Range, RangeInclusive};

use super::{Geometry, block};
use crate::devices::cpu::{Cpu, Rows};
use crate::ops::matrix::{Matrix, MatrixMut, product};
use crate::ops::{Chunks, relu};

/// Rows of a half for which `gemm` sums first and adds then. For fewer or more it adds one after another, or in parts.
const ONE_SUM: RangeInclusive<usize> = 3..=512;

impl Geometry {
    /// y from x for the whole batch; `rectify` applies max(0, ·) on the way.
    #[allow(clippy::too_many_arguments, reason = "the operands of a fully connected layer")]
    pub fn forward(
        self,
        cpu: &Cpu,
        chunks: &Chunks,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        y: &mut [f32],
        rectify: bool,
    ) {
        let batch = chunks.batch();
        let x = Matrix::new(x, batch, self.inputs);
        let weight = Matrix::new(weight, self.outputs, self.inputs);
        each_block(
            cpu,
            self.outputs,
            MatrixMut::new(y, batch, self.outputs),
            &|from, to, y| {
                let weight = weight.rows(from, to).transposed();
                each_half(chunks, y, |rows, mut y| {
                    product(&mut y, false, x.rows(rows.start, rows.end), weight);
                });
            },
        );
        cpu.each_range(chunks.holding(batch), Rows::new(y, self.outputs), |_, y| {
            for y in y.data.chunks_exact_mut(self.outputs) {
                if rectify {
                    y.iter_mut()
                        .zip(bias)
                        .for_each(|(y, bias)| *y = relu::rectify(*y + bias));
                } else {
                    y.iter_mut().zip(bias).for_each(|(y, bias)| *y += bias);
                }
            }
        });
    }

    /// dw and db: the first half of the batch, plus the second.
    pub fn backward_weights(self, cpu: &Cpu, chunks: &Chunks, x: &[f32], dy: &[f32], dw: &mut [f32], db: &mut [f32]) {
        let batch = chunks.batch();
        let (xs, dys) = (Matrix::new(x, batch, self.inputs), Matrix::new(dy, batch, self.outputs));
        let rows = block(self.outputs);
        cpu.threads.each_part(dw, rows * self.inputs, |i, dw| {
            let (from, to) = (i * rows, (i * rows + rows).min(self.outputs));
            for (half, range) in chunks
                .halves()
                .into_iter()
                .enumerate()
                .filter(|(_, range)| !range.is_empty())
            {
                let x = xs.rows(range.start, range.end);
                let dy = dys.rows(range.start, range.end).columns(from, to).transposed();
                let is_one_sum = ONE_SUM.contains(&range.len());
                if half == 0 || is_one_sum {
                    product(&mut MatrixMut::new(dw, to - from, self.inputs), half == 1, dy, x);
                } else {
                    let mut second = vec![0.0; dw.len()];
                    product(&mut MatrixMut::new(&mut second, to - from, self.inputs), false, dy, x);
                    dw.iter_mut().zip(&second).for_each(|(dw, second)| *dw += second);
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

    /// dx.
    pub fn backward_data(self, cpu: &Cpu, chunks: &Chunks, weight: &[f32], dy: &[f32], dx: &mut [f32]) {
        let batch = chunks.batch();
        let dy = Matrix::new(dy, batch, self.outputs);
        let weight = Matrix::new(weight, self.outputs, self.inputs);
        each_block(
            cpu,
            self.inputs,
            MatrixMut::new(dx, batch, self.inputs),
            &|from, to, dx| {
                let weight = weight.columns(from, to);
                each_half(chunks, dx, |rows, mut dx| {
                    product(&mut dx, false, dy.rows(rows.start, rows.end), weight);
                });
            },
        );
    }
}

/// Runs `task(rows, rows of matrix)` for each half of the batch that has rows.
fn each_half<'a>(chunks: &Chunks, matrix: MatrixMut<'a>, task: impl Fn(Range<usize>, MatrixMut<'a>)) {
    let [first, second] = chunks.halves();
    let (above, below) = matrix.split_rows(first.len());
    for (rows, matrix) in [(first, above), (second, below)] {
        if !rows.is_empty() {
            task(rows, matrix);
        }
    }
}

/// Runs `task(from, to, columns from..to of matrix)` for each block of columns, in parallel.
fn each_block<'a>(
    cpu: &Cpu,
    columns: usize,
    matrix: MatrixMut<'a>,
    task: &(impl Fn(usize, usize, MatrixMut<'a>) + Sync),
) {
    cpu.threads.install(|| split(0, columns, block(columns), matrix, task));
}

fn split<'a>(
    from: usize,
    to: usize,
    size: usize,
    matrix: MatrixMut<'a>,
    task: &(impl Fn(usize, usize, MatrixMut<'a>) + Sync),
) {
    use crate::devices::cpu::Divide;
    if to - from <= size {
        return task(from, to, matrix);
    }
    // The cut falls on a multiple of the block's size, so blocks are the same whoever computes them.
    let middle = from + (to - from).div_ceil(size) / 2 * size;
    let (left, right) = matrix.divide(middle - from, 0);
    rayon::join(
        || split(from, middle, size, left, task),
        || split(middle, to, size, right, task),
    );
}
