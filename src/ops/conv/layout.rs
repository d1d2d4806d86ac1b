//! What the tiles read and write: inputs with a halo, panels of sixteen channels, lists of places.
//!
//! * Halo: `[image][channel][Y][X]`, the input with zeros around it, as far as the windows reach.
//! * Positions: `[q][image][r]`, so that the positions that use a row of the kernel are neighbours for all images.
//! * Window: `[i][channel][j]`, so that the rows of the kernel that meet the input are neighbours for all channels.
//! * Panel: sixteen output channels side by side for each position or for each element of the window; channels that
//!   a last panel lacks are zero.

use std::ops::Range;

use super::Geometry;
use super::tile::LANES;

/// Sizes of a convolution on `images` images, and how its memory is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Layout<'a> {
    pub geometry: &'a Geometry,
    pub images: usize,
}

/// Scratch, cut for one layout.
#[derive(Debug)]
pub struct Areas<'a> {
    /// The input with its halo.
    pub halo: &'a mut [f32],
    /// A panel with a row for each element of the window.
    pub window: &'a mut [f32],
    /// A panel with a row for each position.
    pub positions: &'a mut [f32],
    /// Place in `halo` of each element of the window of position 0 and group 0.
    pub offsets: &'a mut [u32],
    /// Place in `halo` of the window of each position.
    pub bases: &'a mut [u32],
}

impl<'a> Layout<'a> {
    pub fn new(geometry: &'a Geometry, images: usize) -> Self {
        Self { geometry, images }
    }

    /// Side of the halo for `outputs` windows: what they reach, which may be less than the padded input or more.
    fn reach(&self, outputs: usize) -> usize {
        (outputs - 1) * self.geometry.stride + self.geometry.kernel
    }

    fn height(&self) -> usize {
        self.reach(self.geometry.output.height)
    }

    fn width(&self) -> usize {
        self.reach(self.geometry.output.width)
    }

    /// Elements of one channel with its halo.
    fn plane(&self) -> usize {
        self.height() * self.width()
    }

    /// Place in the halo of the first channel of `group`.
    pub fn group(&self, group: usize) -> usize {
        group * self.geometry.group_inputs() * self.plane()
    }

    fn places(&self) -> usize {
        self.images * self.geometry.output.plane()
    }

    /// Floats of all areas: halo, two panels, and two lists.
    pub fn scratch(&self) -> usize {
        let halo = self.images * self.geometry.input.channels * self.plane();
        halo + (LANES + 1) * (self.geometry.patch() + self.places())
    }

    /// Cuts `scratch`, and fills the lists.
    pub fn areas<'s>(&self, scratch: &'s mut [f32]) -> Areas<'s> {
        let (patch, places) = (self.geometry.patch(), self.places());
        let (halo, rest) = scratch.split_at_mut(self.images * self.geometry.input.channels * self.plane());
        let (window, rest) = rest.split_at_mut(patch * LANES);
        let (positions, rest) = rest.split_at_mut(places * LANES);
        let (offsets, bases) = bytemuck::cast_slice_mut(&mut rest[..patch + places]).split_at_mut(patch);
        self.list_offsets(offsets);
        self.list_bases(bases);
        Areas {
            halo,
            window,
            positions,
            offsets,
            bases,
        }
    }

    fn list_offsets(&self, offsets: &mut [u32]) {
        let (kernel, inputs) = (self.geometry.kernel, self.geometry.group_inputs());
        for (row, offsets) in offsets.chunks_exact_mut(kernel).enumerate() {
            let (i, channel) = (row / inputs, row % inputs);
            for (j, offset) in offsets.iter_mut().enumerate() {
                *offset = (channel * self.plane() + i * self.width() + j) as u32;
            }
        }
    }

    fn list_bases(&self, bases: &mut [u32]) {
        let stride = self.geometry.stride;
        let image_size = self.geometry.input.channels * self.plane();
        for (row, bases) in bases.chunks_exact_mut(self.geometry.output.width).enumerate() {
            let (q, image) = (row / self.images, row % self.images);
            for (r, base) in bases.iter_mut().enumerate() {
                *base = (image * image_size + q * stride * self.width() + r * stride) as u32;
            }
        }
    }

    /// `x`, NCHW, with its halo.
    pub fn fill_halo(&self, x: &[f32], halo: &mut [f32]) {
        let (input, padding) = (self.geometry.input, self.geometry.padding);
        let (height, width) = (self.height(), self.width());
        let columns = input.width.min(width.saturating_sub(padding));
        for (x, halo) in x.chunks_exact(input.plane()).zip(halo.chunks_exact_mut(height * width)) {
            for (y, halo) in halo.chunks_exact_mut(width).enumerate() {
                let inside = y.checked_sub(padding).filter(|y| *y < input.height && columns > 0);
                if let Some(y) = inside {
                    halo[..padding].fill(0.0);
                    halo[padding..padding + columns].copy_from_slice(&x[y * input.width..][..columns]);
                    halo[padding + columns..].fill(0.0);
                } else {
                    halo.fill(0.0);
                }
            }
        }
    }

    /// Calls `visit(rows of the kernel, rows of the output)` for output rows that meet the input with the same rows of
    /// the kernel.
    pub fn each_band(&self, mut visit: impl FnMut(Range<usize>, Range<usize>)) {
        let Geometry { input, output, .. } = self.geometry;
        let rows = |q: usize| {
            let (top, g) = (q * self.geometry.stride, self.geometry);
            let to = (input.height + g.padding).saturating_sub(top).min(g.kernel);
            g.padding.saturating_sub(top).min(to)..to
        };
        let mut from = 0;
        while from < output.height {
            let kernel = rows(from);
            let to = (from..output.height)
                .find(|q| rows(*q) != kernel)
                .unwrap_or(output.height);
            visit(kernel, from..to);
            from = to;
        }
    }

    /// Positions of the output rows `rows`, as indices into a panel or list.
    pub fn positions(&self, rows: &Range<usize>) -> Range<usize> {
        let row = self.images * self.geometry.output.width;
        rows.start * row..rows.end * row
    }

    /// Elements of the window in the kernel rows `rows`, as indices into a panel or list.
    pub fn elements(&self, rows: &Range<usize>) -> Range<usize> {
        let row = self.geometry.group_inputs() * self.geometry.kernel;
        rows.start * row..rows.end * row
    }

    /// Output channels of the panels: `(group, the first, how many)`.
    pub fn panels(&self) -> impl Iterator<Item = (usize, Range<usize>)> + use<> {
        let (groups, outputs) = (self.geometry.groups, self.geometry.group_outputs());
        (0..groups).flat_map(move |group| {
            let end = (group + 1) * outputs;
            (group * outputs..end)
                .step_by(LANES)
                .map(move |first| (group, first..(first + LANES).min(end)))
        })
    }
}
