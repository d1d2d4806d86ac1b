//! Direct convolution: tiles over the input with its halo, panels of sixteen output channels.
//!
//! Nothing is copied per window as in im2col, and one loop (`ops/tile.rs`) serves the three directions:
//!
//! * forward: the tile is six positions, the sum goes over the window, w is packed in panels;
//! * data gradient, stride 1: forward on dy, with flipped kernels and a halo of K − 1 − p;
//! * weight gradient: the tile is six elements of the window, the sum goes over the positions, w is dy as it lies.
//!
//! Rows of the kernel that meet nothing but the halo are left out.

use super::layout::{Layout, Panel};
use crate::ops::simd::LANES;
use crate::ops::tile::{Ending, PANEL, Places, tiles_from_map, tiles_to_map};

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
        let mut ending = Ending {
            bias: [0.0; PANEL],
            rectify,
        };
        if let Some(bias) = bias {
            ending.bias[..panel.channels.len()].copy_from_slice(&bias[panel.channels.clone()]);
        }
        let (first, apart) = blocks(layout, &panel);
        let y = &mut y[first..];
        layout.each_band(|kernel, rows| {
            let (elements, positions) = (layout.elements(&kernel), layout.positions(&rows));
            let x = Places {
                x: areas.halo,
                bases: &areas.bases[positions.clone()],
                offsets: &areas.offsets[elements.clone()],
            };
            let weights = &weights[elements.start * PANEL..elements.end * PANEL];
            tiles_to_map(x, weights, ending, &areas.places[positions], apart, y);
        });
    }
}

/// Where a panel's first block lies in an image of y, and how much further on its second; 0 where it has none.
fn blocks(layout: &Layout<'_>, panel: &Panel) -> (usize, usize) {
    let block = layout.output().block();
    let apart = if panel.channels.len() > LANES { block } else { 0 };
    (panel.channels.start / LANES * block, apart)
}

/// Adds the weight gradient of `layout`'s images, from their `x` and `dy`, to `sums`: panels of the window's elements. What is
/// summed for channels that a panel lacks is of no meaning.
pub fn backward_weights(layout: &Layout<'_>, x: &[f32], dy: &[f32], sums: &mut [f32], scratch: &mut [f32]) {
    let areas = layout.areas(scratch);
    layout.fill_halo(x, areas.halo);
    let mut listed = None;
    let panels = sums.chunks_exact_mut(layout.geometry.patch() * PANEL);
    for (panel, sums) in layout.panels().zip(panels) {
        if listed.replace(panel.group) != Some(panel.group) {
            layout.list_offsets(panel.group, areas.offsets);
        }
        let (first, apart) = blocks(layout, &panel);
        let dy = &dy[first..];
        layout.each_band(|kernel, rows| {
            let (elements, positions) = (layout.elements(&kernel), layout.positions(&rows));
            let sums = &mut sums[elements.start * PANEL..elements.end * PANEL];
            for from in positions.clone().step_by(DEPTH) {
                let to = (from + DEPTH).min(positions.end);
                // Elements of the window and positions change places.
                let x = Places {
                    x: areas.halo,
                    bases: &areas.offsets[elements.clone()],
                    offsets: &areas.bases[from..to],
                };
                tiles_from_map(x, dy, &areas.places[from..to], apart, sums);
            }
        });
    }
}
