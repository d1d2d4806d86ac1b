//! The weight gradient: dU = Σ over tiles of V · (A dY Aᵀ), and dw = Gᵀ dU G.

use super::Winograd;
use super::filter::Filter;
use super::forward::read as read_inputs;
use super::tiles::Gradients;
use super::weights::Unpack;
use crate::ops::conv::layout::{Layout, Panel};
use crate::ops::map::Order;
use crate::ops::simd;
use crate::ops::tile::{PANEL, Panels, Places, Start, tiles};

type Read = fn(&Winograd<'_>, &Panel, &[f32], &mut [f32], &mut [f32]);
type Add = fn(&Layout<'_>, &[f32], &mut [f32]);

/// Adds the weight gradient of the images, from their `x` and `dy`, to `sums`: panels of the window's elements, as in direct
/// convolution.
pub fn backward_weights(winograd: &Winograd<'_>, x: &[f32], dy: &[f32], sums: &mut [f32], scratch: &mut [f32]) {
    let (geometry, areas) = (winograd.geometry, winograd.areas(scratch));
    let layout = Layout::new(geometry, Order::Blocked, winograd.images);
    let (window, kernels) = (geometry.patch() * PANEL, Winograd::panel(geometry));
    let (square, point) = (winograd.square(), winograd.output_point());
    let (read, add) = passes(winograd.filter);
    for group in 0..geometry.groups {
        read_inputs(winograd, group, x, areas.inputs, areas.band);
        for run in layout.group_runs(group) {
            let panels = run.first..run.first + run.panels;
            for (panel, gradients) in panels.zip(areas.outputs.chunks_exact_mut(square * point)) {
                read(winograd, &layout.panel(panel), dy, gradients, areas.band);
            }
            for (i, inputs) in areas.inputs.chunks_exact(winograd.input_point()).enumerate() {
                // Channels and tiles are exchanged.
                let x = Places {
                    x: inputs,
                    bases: areas.channels,
                    offsets: areas.tiles,
                };
                let dy = Panels {
                    data: &areas.outputs[i * point..],
                    apart: square * point,
                    count: run.panels,
                };
                let gradients = &mut areas.kernels[i * kernels / square..];
                tiles(x, dy, dy.beside(gradients, kernels), Start::Zero);
            }
            let sums = sums[run.first * window..].chunks_exact_mut(window).take(run.panels);
            for (points, sums) in areas.kernels.chunks_exact(kernels).zip(sums) {
                add(&layout, points, sums);
            }
        }
    }
}

/// The functions that read dy and add the gradient of U, for `filter`.
fn passes(filter: Filter) -> (Read, Add) {
    match filter {
        Filter::F4x3 => (read::<6, 4>, add::<3, 6>),
        Filter::F5x3 => (read::<7, 5>, add::<3, 7>),
        Filter::F6x3 => (read::<8, 6>, add::<3, 8>),
        Filter::F4x5 => (read::<8, 4>, add::<5, 8>),
    }
}

fn read<const N: usize, const M: usize>(
    winograd: &Winograd<'_>,
    panel: &Panel,
    dy: &[f32],
    to: &mut [f32],
    band: &mut [f32],
) {
    simd::run(Gradients::<N, M> {
        winograd,
        panel,
        dy,
        to,
        band,
    });
}

fn add<const R: usize, const N: usize>(layout: &Layout<'_>, points: &[f32], sums: &mut [f32]) {
    simd::run(Unpack::<R, N> { layout, points, sums });
}
