//! Convolution as matrix products over windows laid out as columns: any shape, and where direct convolution does not pay.

use std::ops::Range;

use super::{Geometry, patches};
use crate::ops::matrix::{Matrix, MatrixMut, product};
use crate::ops::relu;

impl Geometry {
    /// y of `images`.
    #[allow(clippy::too_many_arguments, reason = "the operands of a convolution")]
    pub(super) fn forward_images(
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

    /// Adds the weight gradient of `images` to `dw`.
    pub(super) fn backward_weights_images(
        &self,
        x: &[f32],
        images: Range<usize>,
        dy: &[f32],
        dw: &mut [f32],
        scratch: &mut [f32],
    ) {
        let (patch, outputs) = (self.patch(), self.group_outputs());
        let columns = images.len() * self.output.plane();
        let (windows, gradients) = scratch.split_at_mut(patch * columns);
        for group in 0..self.groups {
            let gradients = &mut gradients[..outputs * columns];
            self.gather_gradients(dy, images.clone(), group, gradients);
            self.gather_images(x, images.clone(), group, windows);
            let dy = Matrix::new(gradients, outputs, columns);
            let mut dw = MatrixMut::new(&mut dw[group * outputs * patch..], outputs, patch);
            product(&mut dw, true, dy, Matrix::new(windows, patch, columns).transposed());
        }
    }

    /// dx of `images`.
    pub(super) fn backward_data_images(
        &self,
        weight: &[f32],
        images: Range<usize>,
        dy: &[f32],
        dx: &mut [f32],
        scratch: &mut [f32],
    ) {
        let (patch, outputs, plane) = (self.patch(), self.group_outputs(), self.output.plane());
        let columns = images.len() * plane;
        let (windows, gradients) = scratch.split_at_mut(patch * columns);
        for group in 0..self.groups {
            let gradients = &mut gradients[..outputs * columns];
            self.gather_gradients(dy, images.clone(), group, gradients);
            let dy = Matrix::new(gradients, outputs, columns);
            let weight = Matrix::new(&weight[group * outputs * patch..], outputs, patch).transposed();
            product(&mut MatrixMut::new(windows, patch, columns), false, weight, dy);
            let maps = self.group_inputs() * self.input.plane();
            for (i, dx) in dx.chunks_exact_mut(self.input.len()).enumerate() {
                let maps = &mut dx[group * maps..(group + 1) * maps];
                patches::scatter(self, windows, columns, i * plane, maps);
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

    /// dy of one group as `[o][image][q][r]`.
    fn gather_gradients(&self, dy: &[f32], images: Range<usize>, group: usize, gradients: &mut [f32]) {
        let (plane, outputs) = (self.output.plane(), self.group_outputs());
        for (o, to) in gradients.chunks_exact_mut(images.len() * plane).enumerate() {
            for (to, image) in to.chunks_exact_mut(plane).zip(images.clone()) {
                to.copy_from_slice(&dy[image * self.output.len() + (group * outputs + o) * plane..][..plane]);
            }
        }
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
