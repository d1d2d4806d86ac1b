//! Direct convolution: tiles over the input with its halo, and panels of sixteen output channels.
//!
//! Unlike im2col, nothing is copied per window. One loop (`ops/tile.rs`) serves all three directions:
//!
//! * forward: a tile is some positions, the sum goes over the window, w is packed in panels;
//! * data gradient, stride 1: forward on dy, with flipped kernels and a halo of K − 1 − p;
//! * weight gradient: a tile is some elements of the window, the sum goes over the positions, w is dy: read in place, or copied
//!   to panels if many tiles read it.
//!
//! Rows of the kernel that only meet the halo are left out.

use std::ops::Range;

use super::epilogue::Epilogue;
use super::layout::{DEPTH, Layout, Run};
use crate::ops::simd::LANES;
use crate::ops::tile::{
    Blocks, Ending, PANEL, Panels, Places, Start, TOGETHER, copy_rows, tiles, tiles_from_map, tiles_to_map,
};

/// With at least this many elements of the window, dy is copied to panels, because it is read once for every few elements.
const MANY: usize = 128;

/// y of `layout`'s images from their `x` and packed weights.
pub fn forward(
    layout: &Layout<'_>,
    x: &[f32],
    packed: &[f32],
    epilogue: Epilogue<'_>,
    y: &mut [f32],
    scratch: &mut [f32],
) {
    let areas = layout.areas(scratch);
    layout.fill_halo(x, areas.halo);
    let apart = layout.geometry.patch() * PANEL;
    for group in 0..layout.geometry.groups {
        layout.list_offsets(group, areas.offsets);
        for run in layout.group_runs(group) {
            let weights = &packed[run.first * apart..][..run.panels * apart];
            let mut biases = [[0.0; LANES]; 2 * TOGETHER];
            if let Some(bias) = epilogue.bias {
                biases.as_flattened_mut()[..run.channels.len()].copy_from_slice(&bias[run.channels.clone()]);
            }
            let (first, block) = blocks(layout, &run);
            let y = &mut y[first..];
            layout.each_band(|kernel, rows| {
                let (elements, positions) = (layout.elements(&kernel), layout.positions(&rows));
                for part in parts(elements.clone()) {
                    let x = Places {
                        x: areas.halo,
                        bases: &areas.bases[positions.clone()],
                        offsets: &areas.offsets[part.clone()],
                    };
                    let w = Panels {
                        data: &weights[part.start * PANEL..],
                        apart,
                        count: run.panels,
                    };
                    let y = Blocks {
                        data: &mut *y,
                        places: &areas.places[positions.clone()],
                        apart: block,
                        count: run.blocks(),
                    };
                    let (first, last) = (part.start == elements.start, part.end == elements.end);
                    let ending = Ending {
                        start: if first { Start::Zero } else { Start::Sum },
                        bias: if last { biases } else { Default::default() },
                        rectify: epilogue.rectify && last,
                    };
                    tiles_to_map(x, w, ending, y);
                }
            });
        }
    }
}

/// `terms` in even parts of at most [`DEPTH`]; one empty part if there are none.
fn parts(terms: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let count = terms.len().div_ceil(DEPTH).max(1);
    let at = move |i: usize| terms.start + i * terms.len() / count;
    (0..count).map(move |i| at(i)..at(i + 1))
}

/// The place of a run's first block in an image of y, and the distance between blocks.
fn blocks(layout: &Layout<'_>, run: &Run) -> (usize, usize) {
    let block = layout.output().block();
    (run.channels.start / LANES * block, block)
}

/// Adds the weight gradient of `layout`'s images, from their `x` and `dy`, to `sums`: panels of the window's elements. Sums for
/// missing channels of a panel are meaningless.
pub fn backward_weights(layout: &Layout<'_>, x: &[f32], dy: &[f32], sums: &mut [f32], scratch: &mut [f32]) {
    let areas = layout.areas(scratch);
    layout.fill_halo(x, areas.halo);
    let apart = layout.geometry.patch() * PANEL;
    for group in 0..layout.geometry.groups {
        layout.list_offsets(group, areas.offsets);
        for run in layout.group_runs(group) {
            let sums = &mut sums[run.first * apart..][..run.panels * apart];
            let (first, block) = blocks(layout, &run);
            let dy = &dy[first..];
            layout.each_band(|kernel, rows| {
                let (elements, positions) = (layout.elements(&kernel), layout.positions(&rows));
                for from in positions.clone().step_by(DEPTH) {
                    let to = (from + DEPTH).min(positions.end);
                    // Elements of the window and positions are exchanged.
                    let x = Places {
                        x: areas.halo,
                        bases: &areas.offsets[elements.clone()],
                        offsets: &areas.bases[from..to],
                    };
                    let dy = Blocks {
                        data: dy,
                        places: &areas.places[from..to],
                        apart: block,
                        count: run.blocks(),
                    };
                    let sums = Panels {
                        data: &mut sums[elements.start * PANEL..],
                        apart,
                        count: run.panels,
                    };
                    if elements.len() < MANY {
                        tiles_from_map(x, dy, sums);
                    } else {
                        tiles(x, copy_rows(dy, to - from, areas.panels), sums, Start::Sum);
                    }
                }
            });
        }
    }
}
