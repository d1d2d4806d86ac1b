//! Convolution as matrix products over windows laid out as columns (im2col): any shape.
//!
//! It works on planar maps. Blocked maps are converted before and after.

use super::epilogue::Epilogue;
use super::{Geometry, evenly, patches};
use crate::ops::map::{Map, Order};
use crate::ops::matrix::{Matrix, MatrixMut, product};
use crate::ops::relu;

/// The least number of columns for an efficient matrix product: fewer leave registers unused.
const COLUMNS: usize = 512;

/// A convolution by products on some images.
#[derive(Clone, Copy, Debug)]
pub struct Products<'a> {
    geometry: &'a Geometry,
    /// The order of x. y and dx are blocked.
    order: Order,
    images: usize,
}

/// Scratch, cut for one convolution by products.
struct Areas<'s> {
    windows: &'s mut [f32],
    /// Sums or gradients of one group, `[o][image][q][r]`.
    outputs: &'s mut [f32],
    /// x or dx, planar.
    inner: &'s mut [f32],
    /// y or dy, planar.
    outer: &'s mut [f32],
}

impl<'a> Products<'a> {
    /// Products for `images` images of `geometry`.
    pub fn new(geometry: &'a Geometry, order: Order, images: usize) -> Self {
        Self {
            geometry,
            order,
            images,
        }
    }

    /// How many images are best processed together, at most `most`, in even parts.
    pub fn images(geometry: &Geometry, most: usize) -> usize {
        evenly(most, COLUMNS / geometry.output.plane())
    }

    fn columns(&self) -> usize {
        self.images * self.geometry.output.plane()
    }

    /// Floats of scratch.
    pub fn scratch(&self) -> usize {
        let g = self.geometry;
        (g.patch() + g.group_outputs()) * self.columns() + self.images * (g.input.len() + g.output.len())
    }

    fn areas<'s>(&self, scratch: &'s mut [f32]) -> Areas<'s> {
        let g = self.geometry;
        let (windows, rest) = scratch.split_at_mut(g.patch() * self.columns());
        let (outputs, rest) = rest.split_at_mut(g.group_outputs() * self.columns());
        let (inner, rest) = rest.split_at_mut(self.images * g.input.len());
        let outer = &mut rest[..self.images * g.output.len()];
        Areas {
            windows,
            outputs,
            inner,
            outer,
        }
    }

    /// y from x.
    pub fn forward(&self, x: &[f32], weight: &[f32], epilogue: Epilogue<'_>, y: &mut [f32], scratch: &mut [f32]) {
        let (g, columns) = (self.geometry, self.columns());
        let (patch, outputs, plane) = (g.patch(), g.group_outputs(), g.output.plane());
        let areas = self.areas(scratch);
        each(self.input(), x, Order::Planar, areas.inner);
        for group in 0..g.groups {
            self.gather_inputs(areas.inner, group, areas.windows);
            let weight = Matrix::new(&weight[group * outputs * patch..], outputs, patch);
            let windows = Matrix::new(areas.windows, patch, columns);
            product(
                &mut MatrixMut::new(areas.outputs, outputs, columns),
                false,
                weight,
                windows,
            );
            for (o, sums) in areas.outputs.chunks_exact(columns).enumerate() {
                let channel = group * outputs + o;
                let bias = epilogue.bias.map_or(0.0, |bias| bias[channel]);
                for (i, sums) in sums.chunks_exact(plane).enumerate() {
                    let y = &mut areas.outer[(i * g.output.channels + channel) * plane..][..plane];
                    add_bias(y, sums, bias, epilogue.rectify);
                }
            }
        }
        each(Map::planar(g.output), areas.outer, Order::Blocked, y);
    }

    /// Adds the weight gradient to `dw`, `[O][C/G][K][K]`.
    pub fn backward_weights(&self, x: &[f32], dy: &[f32], dw: &mut [f32], scratch: &mut [f32]) {
        let (g, columns) = (self.geometry, self.columns());
        let (patch, outputs) = (g.patch(), g.group_outputs());
        let areas = self.areas(scratch);
        each(self.input(), x, Order::Planar, areas.inner);
        each(Map::blocked(g.output), dy, Order::Planar, areas.outer);
        for group in 0..g.groups {
            self.gather_gradients(areas.outer, group, areas.outputs);
            self.gather_inputs(areas.inner, group, areas.windows);
            let dy = Matrix::new(areas.outputs, outputs, columns);
            let mut dw = MatrixMut::new(&mut dw[group * outputs * patch..], outputs, patch);
            product(
                &mut dw,
                true,
                dy,
                Matrix::new(areas.windows, patch, columns).transposed(),
            );
        }
    }

    /// dx from dy.
    pub fn backward_data(&self, weight: &[f32], dy: &[f32], dx: &mut [f32], scratch: &mut [f32]) {
        let (g, columns) = (self.geometry, self.columns());
        let (patch, outputs, plane) = (g.patch(), g.group_outputs(), g.output.plane());
        let areas = self.areas(scratch);
        each(Map::blocked(g.output), dy, Order::Planar, areas.outer);
        for group in 0..g.groups {
            self.gather_gradients(areas.outer, group, areas.outputs);
            let dy = Matrix::new(areas.outputs, outputs, columns);
            let weight = Matrix::new(&weight[group * outputs * patch..], outputs, patch).transposed();
            product(&mut MatrixMut::new(areas.windows, patch, columns), false, weight, dy);
            let maps = g.group_inputs() * g.input.plane();
            for (i, dx) in areas.inner.chunks_exact_mut(g.input.len()).enumerate() {
                let maps = &mut dx[group * maps..(group + 1) * maps];
                patches::scatter(g, areas.windows, columns, i * plane, maps);
            }
        }
        each(Map::planar(g.input), areas.inner, Order::Blocked, dx);
    }

    fn input(&self) -> Map {
        Map {
            shape: self.geometry.input,
            order: self.order,
        }
    }

    /// The windows of all images side by side.
    fn gather_inputs(&self, x: &[f32], group: usize, windows: &mut [f32]) {
        let g = self.geometry;
        let maps = g.group_inputs() * g.input.plane();
        for (i, x) in x.chunks_exact(g.input.len()).enumerate() {
            let maps = &x[group * maps..][..maps];
            patches::gather(g, maps, windows, self.columns(), i * g.output.plane());
        }
    }

    /// dy of one group as `[o][image][q][r]`.
    fn gather_gradients(&self, dy: &[f32], group: usize, gradients: &mut [f32]) {
        let (plane, outputs) = (self.geometry.output.plane(), self.geometry.group_outputs());
        for (o, to) in gradients.chunks_exact_mut(self.columns()).enumerate() {
            for (i, to) in to.chunks_exact_mut(plane).enumerate() {
                let at = i * self.geometry.output.len() + (group * outputs + o) * plane;
                to.copy_from_slice(&dy[at..at + plane]);
            }
        }
    }
}

/// Copies every image from the order of `map` to `order`.
fn each(map: Map, from: &[f32], order: Order, to: &mut [f32]) {
    let other = Map { order, ..map };
    for (from, to) in from.chunks_exact(map.len()).zip(to.chunks_exact_mut(other.len())) {
        map.reorder(from, order, to);
    }
}

/// y = sums + b, or max(0, sums + b).
fn add_bias(y: &mut [f32], sums: &[f32], bias: f32, rectify: bool) {
    if rectify {
        y.iter_mut()
            .zip(sums)
            .for_each(|(y, sum)| *y = relu::rectify(sum + bias));
    } else {
        y.iter_mut().zip(sums).for_each(|(y, sum)| *y = sum + bias);
    }
}
