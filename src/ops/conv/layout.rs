//! What the tiles of direct convolution read and write: inputs with a halo, panels of sixteen channels, lists of places.
//!
//! * Halo: the input, in its own order, with zeros around each map, as far as the windows reach.
//! * Positions: `[q][image][r]`, so that the positions that use the same rows of the kernel are consecutive over all images.
//! * Window: `[i][block of channels][j][lane]`, so that the rows of the kernel that meet the input are consecutive, and
//!   everything read for one row is adjacent. `j` counts the kernel's columns.
//! * Panel: sixteen output channels of one group, for each position or each element of the window. Weights of missing channels
//!   in a last panel are zero.

use std::ops::Range;

use super::Geometry;
use crate::ops::map::{Map, Order};
use crate::ops::simd::LANES;
use crate::ops::tile::{PANEL, TOGETHER};

/// Sizes and memory layout of a convolution on `images` images.
#[derive(Clone, Copy, Debug)]
pub struct Layout<'a> {
    pub geometry: &'a Geometry,
    /// The order of x.
    pub order: Order,
    pub images: usize,
}

/// Scratch, cut for one layout.
#[derive(Debug)]
pub struct Areas<'a> {
    /// The input with its halo.
    pub halo: &'a mut [f32],
    /// dy in panels, of some positions.
    pub panels: &'a mut [f32],
    /// For one group, the place in `halo` of each element of the window at position 0.
    pub offsets: &'a mut [u32],
    /// The place in `halo` of each position's window.
    pub bases: &'a mut [u32],
    /// The place of each position in the images' first blocks of y.
    pub places: &'a mut [u32],
}

/// The most terms of one sum, so that w or dy of a panel (16 KiB), or of two with wide vectors, stays in the cache for all
/// tiles.
pub const DEPTH: usize = 256;

/// Floats of the panels to which dy is copied.
const PANELS: usize = TOGETHER * PANEL * DEPTH;

/// The output channels of one panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panel {
    /// Number among all panels.
    pub number: usize,
    /// Its group.
    pub group: usize,
    /// Its channels, at most sixteen.
    pub channels: Range<usize>,
}

/// Adjacent panels of one group that are processed together.
#[derive(Clone, Debug)]
pub struct Run {
    /// Number of the first panel.
    pub first: usize,
    /// Number of panels: up to [`TOGETHER`].
    pub panels: usize,
    /// Their channels.
    pub channels: Range<usize>,
}

impl Run {
    /// Blocks of channels.
    pub fn blocks(&self) -> usize {
        self.channels.len().div_ceil(LANES)
    }
}

/// One element of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// Row of the kernel.
    pub i: usize,
    /// Input channel within the group.
    pub channel: usize,
    /// Column of the kernel.
    pub j: usize,
}

impl<'a> Layout<'a> {
    pub fn new(geometry: &'a Geometry, order: Order, images: usize) -> Self {
        Self {
            geometry,
            order,
            images,
        }
    }

    /// Side of the halo for `outputs` windows: how far they reach, which may be less or more than the padded input.
    fn reach(&self, outputs: usize) -> usize {
        (outputs - 1) * self.geometry.stride + self.geometry.kernel
    }

    fn height(&self) -> usize {
        self.reach(self.geometry.output.height)
    }

    fn width(&self) -> usize {
        self.reach(self.geometry.output.width)
    }

    /// Layout of the input.
    pub fn input(&self) -> Map {
        Map {
            shape: self.geometry.input,
            order: self.order,
        }
    }

    /// Layout of the output.
    pub fn output(&self) -> Map {
        Map::blocked(self.geometry.output)
    }

    /// Floats of one block of channels with its halo.
    fn block(&self) -> usize {
        self.height() * self.width() * self.order.lanes()
    }

    /// Floats of one image with its halo.
    fn image(&self) -> usize {
        self.input().blocks() * self.block()
    }

    fn places(&self) -> usize {
        self.images * self.geometry.output.plane()
    }

    /// Floats of all areas: halo, panels and three lists.
    pub fn scratch(&self) -> usize {
        self.images * self.image() + PANELS + self.geometry.patch() + 2 * self.places()
    }

    /// Whether every place fits into 32 bits.
    pub fn fits(&self) -> bool {
        u32::try_from(self.images * self.image().max(self.output().len())).is_ok()
    }

    /// Cuts `scratch`, and lists the positions.
    pub fn areas<'s>(&self, scratch: &'s mut [f32]) -> Areas<'s> {
        let (patch, places) = (self.geometry.patch(), self.places());
        let (halo, rest) = scratch.split_at_mut(self.images * self.image());
        let (panels, rest) = rest.split_at_mut(PANELS);
        let (offsets, rest) = bytemuck::cast_slice_mut(&mut rest[..patch + 2 * places]).split_at_mut(patch);
        let (bases, places) = rest.split_at_mut(places);
        self.list_positions(bases, places);
        Areas {
            halo,
            panels,
            offsets,
            bases,
            places,
        }
    }

    /// The elements of the window, in order.
    pub fn window(&self) -> impl Iterator<Item = Element> + use<> {
        let (kernel, inputs, lanes) = (self.geometry.kernel, self.geometry.group_inputs(), self.order.lanes());
        (0..kernel).flat_map(move |i| {
            (0..inputs).step_by(lanes).flat_map(move |first| {
                (0..kernel).flat_map(move |j| {
                    (first..(first + lanes).min(inputs)).map(move |channel| Element { i, channel, j })
                })
            })
        })
    }

    /// The index of an element in [`window`](Self::window).
    pub fn place(&self, Element { i, channel, j }: Element) -> usize {
        let (kernel, inputs, lanes) = (self.geometry.kernel, self.geometry.group_inputs(), self.order.lanes());
        let first = channel / lanes * lanes;
        (i * inputs + first) * kernel + j * lanes.min(inputs - first) + channel % lanes
    }

    /// Lists the places of the window's elements for `group`.
    pub fn list_offsets(&self, group: usize, offsets: &mut [u32]) {
        let (lanes, first) = (self.order.lanes(), group * self.geometry.group_inputs());
        for (offset, Element { i, channel, j }) in offsets.iter_mut().zip(self.window()) {
            let channel = first + channel;
            let at = channel / lanes * self.block() + (i * self.width() + j) * lanes + channel % lanes;
            *offset = at as u32;
        }
    }

    fn list_positions(&self, bases: &mut [u32], places: &mut [u32]) {
        let (stride, output) = (self.geometry.stride, self.output());
        let columns = output.shape.width;
        let rows = bases.chunks_exact_mut(columns).zip(places.chunks_exact_mut(columns));
        for (row, (bases, places)) in rows.enumerate() {
            let (q, image) = self.row(row);
            for (r, (base, place)) in bases.iter_mut().zip(places).enumerate() {
                let at = image * self.image() + (q * self.width() + r) * stride * self.order.lanes();
                *base = at as u32;
                *place = (image * output.len() + (q * columns + r) * LANES) as u32;
            }
        }
    }

    /// Output row and image of the `row`-th row of positions.
    fn row(&self, row: usize) -> (usize, usize) {
        (row / self.images, row % self.images)
    }

    /// Writes `x` with its halo.
    pub fn fill_halo(&self, x: &[f32], halo: &mut [f32]) {
        let (input, padding, lanes) = (self.geometry.input, self.geometry.padding, self.order.lanes());
        let width = self.width();
        let columns = input.width.min(width.saturating_sub(padding));
        let blocks = x.chunks_exact(self.input().block());
        for (x, halo) in blocks.zip(halo.chunks_exact_mut(self.block())) {
            for (y, halo) in halo.chunks_exact_mut(width * lanes).enumerate() {
                let inside = y.checked_sub(padding).filter(|y| *y < input.height && columns > 0);
                if let Some(y) = inside {
                    let (left, right) = (padding * lanes, (padding + columns) * lanes);
                    halo[..left].fill(0.0);
                    halo[left..right].copy_from_slice(&x[y * input.width * lanes..][..columns * lanes]);
                    halo[right..].fill(0.0);
                } else {
                    halo.fill(0.0);
                }
            }
        }
    }

    /// Calls `visit(rows of the kernel, rows of the output)` for each range of output rows that meet the input with the same
    /// rows of the kernel.
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

    /// Panels of one group.
    pub fn group_panels(&self) -> usize {
        self.geometry.group_outputs().div_ceil(PANEL)
    }

    /// The `number`-th panel.
    pub fn panel(&self, number: usize) -> Panel {
        let (outputs, panels) = (self.geometry.group_outputs(), self.group_panels());
        let group = number / panels;
        let first = group * outputs + number % panels * PANEL;
        Panel {
            number,
            group,
            channels: first..(first + PANEL).min((group + 1) * outputs),
        }
    }

    /// The panels of one group, in runs.
    pub fn group_runs(&self, group: usize) -> impl Iterator<Item = Run> + '_ {
        let panels = group * self.group_panels()..(group + 1) * self.group_panels();
        panels.clone().step_by(TOGETHER).map(move |first| {
            let panels = TOGETHER.min(panels.end - first);
            let channels = self.panel(first).channels.start..self.panel(first + panels - 1).channels.end;
            Run {
                first,
                panels,
                channels,
            }
        })
    }

    /// All panels.
    pub fn panels(&self) -> impl Iterator<Item = Panel> + '_ {
        (0..self.geometry.groups * self.group_panels()).map(|number| self.panel(number))
    }
}
