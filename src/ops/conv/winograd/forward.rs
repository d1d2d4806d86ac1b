//! y from x and transformed weights. The data gradient is the same with inputs and outputs exchanged.

use super::tiles::{Inputs, Outputs};
use super::{PANELS, SQUARE, Winograd};
use crate::ops::conv::layout::Layout;
use crate::ops::conv::tile::{PANEL, Start, tiles};
use crate::ops::map::Order;
use crate::ops::simd;

/// y of the images from their `x` and packed weights: plus `bias`, rectified where asked.
pub fn forward(
    winograd: &Winograd<'_>,
    x: &[f32],
    packed: &[f32],
    bias: Option<&[f32]>,
    y: &mut [f32],
    rectify: bool,
    scratch: &mut [f32],
) {
    let (geometry, areas) = (winograd.geometry, winograd.areas(scratch));
    let layout = Layout::new(geometry, Order::Blocked, winograd.images);
    let (kernels, point) = (Winograd::panel(geometry), winograd.output_point());
    for group in 0..geometry.groups {
        let to = &mut *areas.inputs;
        simd::run(Inputs { winograd, group, x, to });
        let panels = group * layout.group_panels()..(group + 1) * layout.group_panels();
        for first in panels.clone().step_by(PANELS) {
            let together = first..(first + PANELS).min(panels.end);
            for (i, inputs) in areas.inputs.chunks_exact(winograd.input_point()).enumerate() {
                for number in together.clone() {
                    let kernels = &packed[number * kernels..][..kernels];
                    let w = &kernels[i * kernels.len() / SQUARE..][..kernels.len() / SQUARE];
                    let at = ((number - first) * SQUARE + i) * point;
                    let out = &mut areas.outputs[at..at + winograd.tiles() * PANEL];
                    tiles(inputs, areas.tiles, areas.channels, w, out, Start::Zero);
                }
            }
            for number in together {
                let panel = layout.panel(number);
                let mut biases = [0.0; PANEL];
                if let Some(bias) = bias {
                    biases[..panel.channels.len()].copy_from_slice(&bias[panel.channels.clone()]);
                }
                let products = &areas.outputs[(number - first) * SQUARE * point..][..SQUARE * point];
                match winograd.side() {
                    4 => write::<4>(winograd, &panel, products, &biases, rectify, y),
                    _ => write::<2>(winograd, &panel, products, &biases, rectify, y),
                }
            }
        }
    }
}

fn write<const M: usize>(
    winograd: &Winograd<'_>,
    panel: &crate::ops::conv::layout::Panel,
    products: &[f32],
    bias: &[f32; PANEL],
    rectify: bool,
    y: &mut [f32],
) {
    simd::run(Outputs::<M> {
        winograd,
        panel,
        products,
        bias,
        rectify,
        y,
    });
}
