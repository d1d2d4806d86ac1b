//! Direct convolution: tiles over the input with its halo, panels of sixteen output channels.
//!
//! Nothing is copied per window as in im2col, and one loop ([`tiles`]) serves the three directions:
//!
//! * forward: the tile is six positions, the sum goes over the window, w is packed in panels;
//! * data gradient, stride 1: forward on dy, with flipped kernels and a halo of K − 1 − p;
//! * weight gradient: the tile is six elements of the window, the sum goes over the positions, dy is packed.
//!
//! Rows of the kernel that meet nothing but the halo are left out.

use super::layout::{Layout, Panel};
use crate::ops::map::Map;
use crate::ops::relu;
use crate::ops::simd::LANES;
use crate::ops::tile::{PANEL, Start, tiles};

/// Positions of one sum of the weight gradient: 16 KiB of dy stay in the L1 cache for all tiles.
const DEPTH: usize = 256;

/// y of `layout`'s images from their `x` and packed weights: plus `bias`, rectified where asked.
pub fn forward(
    layout: &Layout<'_>,
    x: &[f32],
    packed: &[f32],
    bias: Option<&[f32]>,
    y: &mut [f32],
    rectify: bool,
    scratch: &mut [f32],
) {
    let areas = layout.areas(scratch);
    layout.fill_halo(x, areas.halo);
    let mut listed = None;
    let panels = packed.chunks_exact(layout.geometry.patch() * PANEL);
    for (panel, weights) in layout.panels().zip(panels) {
        if listed.replace(panel.group) != Some(panel.group) {
            layout.list_offsets(panel.group, areas.offsets);
        }
        layout.each_band(|kernel, rows| {
            let (elements, positions) = (layout.elements(&kernel), layout.positions(&rows));
            tiles(
                areas.halo,
                &areas.bases[positions.clone()],
                &areas.offsets[elements.clone()],
                &weights[elements.start * PANEL..elements.end * PANEL],
                &mut areas.positions[positions.start * PANEL..positions.end * PANEL],
                Start::Zero,
            );
        });
        write_panel(layout, &panel, areas.positions, bias, y, rectify);
    }
}

/// The rows of a panel's two blocks of y: `visit(row of positions, floats of the image's y where it lies, half)`.
fn each_row(layout: &Layout<'_>, panel: &Panel, mut visit: impl FnMut(usize, std::ops::Range<usize>, usize)) {
    let output = Map::blocked(layout.geometry.output);
    let width = output.shape.width * LANES;
    for half in 0..panel.channels.len().div_ceil(LANES) {
        let block = panel.channels.start / LANES + half;
        for row in 0..layout.images * output.shape.height {
            let (q, image) = layout.row(row);
            let at = image * output.len() + block * output.block() + q * width;
            visit(row, at..at + width, half);
        }
    }
}

/// A panel of sums into y.
fn write_panel(layout: &Layout<'_>, panel: &Panel, sums: &[f32], bias: Option<&[f32]>, y: &mut [f32], rectify: bool) {
    let mut biases = [0.0; PANEL];
    if let Some(bias) = bias {
        biases[..panel.channels.len()].copy_from_slice(&bias[panel.channels.clone()]);
    }
    let biases = biases.as_chunks::<LANES>().0;
    let width = layout.geometry.output.width * 2;
    let sums = sums.as_chunks::<LANES>().0;
    each_row(layout, panel, |row, at, half| {
        let sums = sums[row * width..][..width].iter().skip(half).step_by(2);
        for (y, sums) in y[at].as_chunks_mut::<LANES>().0.iter_mut().zip(sums) {
            for ((y, sum), bias) in y.iter_mut().zip(sums).zip(&biases[half]) {
                *y = sum + bias;
            }
            if rectify {
                y.iter_mut().for_each(|y| *y = relu::rectify(*y));
            }
        }
    });
}

/// Adds the weight gradient of `layout`'s images, from their `x` and `dy`, to `sums`: panels of the window's elements.
pub fn backward_weights(layout: &Layout<'_>, x: &[f32], dy: &[f32], sums: &mut [f32], scratch: &mut [f32]) {
    let areas = layout.areas(scratch);
    layout.fill_halo(x, areas.halo);
    let mut listed = None;
    let panels = sums.chunks_exact_mut(layout.geometry.patch() * PANEL);
    for (panel, sums) in layout.panels().zip(panels) {
        if listed.replace(panel.group) != Some(panel.group) {
            layout.list_offsets(panel.group, areas.offsets);
        }
        read_panel(layout, &panel, dy, areas.positions);
        layout.each_band(|kernel, rows| {
            let (elements, positions) = (layout.elements(&kernel), layout.positions(&rows));
            let sums = &mut sums[elements.start * PANEL..elements.end * PANEL];
            for from in positions.clone().step_by(DEPTH) {
                let to = (from + DEPTH).min(positions.end);
                let dy = &areas.positions[from * PANEL..to * PANEL];
                let (offsets, bases) = (&areas.offsets[elements.clone()], &areas.bases[from..to]);
                tiles(areas.halo, offsets, bases, dy, sums, Start::Sum);
            }
        });
    }
}

/// A panel of dy.
fn read_panel(layout: &Layout<'_>, panel: &Panel, dy: &[f32], to: &mut [f32]) {
    let width = layout.geometry.output.width * 2;
    let to = to.as_chunks_mut::<LANES>().0;
    if panel.channels.len() <= LANES {
        to.iter_mut().skip(1).step_by(2).for_each(|lanes| lanes.fill(0.0));
    }
    each_row(layout, panel, |row, at, half| {
        let to = to[row * width..][..width].iter_mut().skip(half).step_by(2);
        to.zip(dy[at].as_chunks::<LANES>().0).for_each(|(to, dy)| *to = *dy);
    });
}
