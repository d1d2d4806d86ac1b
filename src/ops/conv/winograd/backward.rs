//! The weight gradient: dU = Σ over tiles of V · (A dY Aᵀ), and dw = Gᵀ dU G.

use super::Winograd;
use super::filter::Filter;
use super::forward::read as read_inputs;
use super::tiles::Gradients;
use super::weights::Unpack;
use crate::ops::conv::layout::{Layout, Panel};
use crate::ops::map::Order;
use crate::ops::simd;
use crate::ops::tile::{PANEL, Start, tiles};

type Read = fn(&Winograd<'_>, &Panel, &[f32], &mut [f32]);
type Add = fn(&Layout<'_>, &[f32], &mut [f32]);

/// Adds the weight gradient of the images, from their `x` and `dy`, to `sums`: panels of the window's elements, as direct
/// convolution has them.
pub fn backward_weights(winograd: &Winograd<'_>, x: &[f32], dy: &[f32], sums: &mut [f32], scratch: &mut [f32]) {
    let (geometry, areas) = (winograd.geometry, winograd.areas(scratch));
    let layout = Layout::new(geometry, Order::Blocked, winograd.images);
    let (point, square) = (winograd.output_point(), winograd.square());
    let mut panels = layout.panels().zip(sums.chunks_exact_mut(geometry.patch() * PANEL));
    for group in 0..geometry.groups {
        let to = &mut *areas.inputs;
        read_inputs(winograd, group, x, to);
        for (panel, sums) in panels.by_ref().take(layout.group_panels()) {
            let gradients = &mut areas.outputs[..square * point];
            let (read, add): (Read, Add) = match winograd.filter {
                Filter::F4x3 => (read::<6, 4>, add::<3, 6>),
                Filter::F5x3 => (read::<7, 5>, add::<3, 7>),
                Filter::F6x3 => (read::<8, 6>, add::<3, 8>),
                Filter::F4x5 => (read::<8, 4>, add::<5, 8>),
            };
            read(winograd, &panel, dy, gradients);
            let inputs = areas.inputs.chunks_exact(winograd.input_point());
            let kernels = areas.kernels.chunks_exact_mut(areas.kernels.len() / square);
            for ((inputs, dy), kernels) in inputs.zip(gradients.chunks_exact(point)).zip(kernels) {
                tiles(inputs, areas.channels, areas.tiles, dy, kernels, Start::Zero);
            }
            add(&layout, areas.kernels, sums);
        }
    }
}

fn read<const N: usize, const M: usize>(winograd: &Winograd<'_>, panel: &Panel, dy: &[f32], to: &mut [f32]) {
    simd::run(Gradients::<N, M> {
        winograd,
        panel,
        dy,
        to,
    });
}

fn add<const R: usize, const N: usize>(layout: &Layout<'_>, points: &[f32], sums: &mut [f32]) {
    simd::run(Unpack::<R, N> { layout, points, sums });
}
