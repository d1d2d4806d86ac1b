//! Direct convolution: tiles over the input with its halo, panels of sixteen output channels.
//!
//! Nothing is copied per window as in im2col, and one loop ([`tiles`]) serves the three directions:
//!
//! * forward: the tile is six positions, the sum goes over the window, w is packed for each panel;
//! * data gradient, stride 1: forward on dy, with flipped kernels and a halo of K − 1 − p;
//! * weight gradient: the tile is six elements of the window, the sum goes over the positions, dy is packed.
//!
//! Rows of the kernel that meet nothing but the halo are left out.

use super::Geometry;
use super::layout::Layout;
use super::tile::{LANES, Start, tiles};
use crate::ops::relu;

/// Positions of one sum of the weight gradient: 16 KiB of dy stay in the L1 cache for all tiles.
const DEPTH: usize = 256;

/// Where w of lane l, channel c and kernel element t lies: `l · lane + c · channel + t`, or K² − 1 − t where flipped.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a> {
    data: &'a [f32],
    /// From one group to the next.
    group: usize,
    lane: usize,
    channel: usize,
    flipped: bool,
}

impl<'a> Weights<'a> {
    /// w for the forward pass of `geometry`.
    pub fn forward(data: &'a [f32], geometry: &Geometry) -> Self {
        Self {
            data,
            group: geometry.group_outputs() * geometry.patch(),
            lane: geometry.patch(),
            channel: geometry.kernel * geometry.kernel,
            flipped: false,
        }
    }

    /// w for the data gradient of `geometry`: inputs and outputs change places.
    pub fn backward(data: &'a [f32], geometry: &Geometry) -> Self {
        let forward = Self::forward(data, geometry);
        Self {
            lane: forward.channel,
            channel: forward.lane,
            flipped: true,
            ..forward
        }
    }

    /// The panel `[i][channel][j][16]` of `lanes` channels from `first` of a group on.
    fn pack(self, layout: &Layout<'_>, group: usize, first: usize, lanes: usize, panel: &mut [f32]) {
        let (kernel, inputs) = (layout.geometry.kernel, layout.geometry.group_inputs());
        let data = &self.data[group * self.group + first * self.lane..];
        for (row, panel) in panel.chunks_exact_mut(kernel * LANES).enumerate() {
            let (i, channel) = (row / inputs, row % inputs);
            for (j, panel) in panel.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
                let element = i * kernel + j;
                let element = if self.flipped {
                    kernel * kernel - 1 - element
                } else {
                    element
                };
                let from = data[channel * self.channel + element..].iter().step_by(self.lane);
                panel.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
                panel[lanes..].fill(0.0);
            }
        }
    }
}

/// y of `layout`'s images from their `x`: with `bias`, rectified where asked.
pub fn forward(
    layout: &Layout<'_>,
    x: &[f32],
    weights: Weights<'_>,
    bias: Option<&[f32]>,
    y: &mut [f32],
    rectify: bool,
    scratch: &mut [f32],
) {
    let areas = layout.areas(scratch);
    layout.fill_halo(x, areas.halo);
    for (group, channels) in layout.panels() {
        let first = channels.start - group * layout.geometry.group_outputs();
        weights.pack(layout, group, first, channels.len(), areas.window);
        let x = &areas.halo[layout.group(group)..];
        layout.each_band(|kernel, rows| {
            let (elements, positions) = (layout.elements(&kernel), layout.positions(&rows));
            let out = &mut areas.positions[positions.start * LANES..positions.end * LANES];
            let w = &areas.window[elements.start * LANES..elements.end * LANES];
            tiles(
                x,
                &areas.bases[positions],
                &areas.offsets[elements],
                w,
                out,
                Start::Zero,
            );
        });
        for (lane, channel) in channels.enumerate() {
            let bias = bias.map_or(0.0, |bias| bias[channel]);
            unpack(layout, areas.positions, lane, channel, y, |sum| {
                if rectify { relu::rectify(sum + bias) } else { sum + bias }
            });
        }
    }
}

/// One channel of y from its lane of the panel.
fn unpack(layout: &Layout<'_>, panel: &[f32], lane: usize, channel: usize, y: &mut [f32], finish: impl Fn(f32) -> f32) {
    let output = layout.geometry.output;
    for (row, panel) in panel.chunks_exact(output.width * LANES).enumerate() {
        let (q, image) = (row / layout.images, row % layout.images);
        let at = image * output.len() + channel * output.plane() + q * output.width;
        for (y, sums) in y[at..at + output.width].iter_mut().zip(panel.as_chunks::<LANES>().0) {
            *y = finish(sums[lane]);
        }
    }
}

/// Adds the weight gradient of `layout`'s images, from their `x` and `dy`, to `dw`.
pub fn backward_weights(layout: &Layout<'_>, x: &[f32], dy: &[f32], dw: &mut [f32], scratch: &mut [f32]) {
    let areas = layout.areas(scratch);
    layout.fill_halo(x, areas.halo);
    for (group, channels) in layout.panels() {
        areas.positions.fill(0.0);
        for (lane, channel) in channels.clone().enumerate() {
            pack_gradient(layout, dy, lane, channel, areas.positions);
        }
        areas.window.fill(0.0);
        let x = &areas.halo[layout.group(group)..];
        layout.each_band(|kernel, rows| {
            let (elements, positions) = (layout.elements(&kernel), layout.positions(&rows));
            let sums = &mut areas.window[elements.start * LANES..elements.end * LANES];
            for from in positions.clone().step_by(DEPTH) {
                let to = (from + DEPTH).min(positions.end);
                let dy = &areas.positions[from * LANES..to * LANES];
                tiles(
                    x,
                    &areas.offsets[elements.clone()],
                    &areas.bases[from..to],
                    dy,
                    sums,
                    Start::Sum,
                );
            }
        });
        for (lane, channel) in channels.enumerate() {
            let patch = layout.geometry.patch();
            add_gradient(
                layout,
                areas.window,
                lane,
                &mut dw[channel * patch..(channel + 1) * patch],
            );
        }
    }
}

/// One channel of dy into its lane of the panel.
fn pack_gradient(layout: &Layout<'_>, dy: &[f32], lane: usize, channel: usize, panel: &mut [f32]) {
    let output = layout.geometry.output;
    for (row, panel) in panel.chunks_exact_mut(output.width * LANES).enumerate() {
        let (q, image) = (row / layout.images, row % layout.images);
        let at = image * output.len() + channel * output.plane() + q * output.width;
        for (dy, panel) in dy[at..at + output.width].iter().zip(panel.as_chunks_mut::<LANES>().0) {
            panel[lane] = *dy;
        }
    }
}

/// One lane of the panel onto dw of its channel.
fn add_gradient(layout: &Layout<'_>, panel: &[f32], lane: usize, dw: &mut [f32]) {
    let (kernel, inputs) = (layout.geometry.kernel, layout.geometry.group_inputs());
    for (row, panel) in panel.chunks_exact(kernel * LANES).enumerate() {
        let (i, channel) = (row / inputs, row % inputs);
        let dw = &mut dw[(channel * kernel + i) * kernel..][..kernel];
        for (dw, sums) in dw.iter_mut().zip(panel.as_chunks::<LANES>().0) {
            *dw += sums[lane];
        }
    }
}
