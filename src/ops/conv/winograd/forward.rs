//! y from x and transformed weights. The data gradient is the same with inputs and outputs exchanged.

use super::filter::Filter;
use super::tiles::{Inputs, Outputs};
use super::{SET, Winograd};
use crate::ops::conv::epilogue::Epilogue;
use crate::ops::conv::layout::{Layout, Panel};
use crate::ops::map::Order;
use crate::ops::simd;
use crate::ops::tile::{PANEL, Panels, Places, Start, TOGETHER, tiles};

/// y of the images from their `x` and packed weights.
pub fn forward(
    winograd: &Winograd<'_>,
    x: &[f32],
    packed: &[f32],
    epilogue: Epilogue<'_>,
    y: &mut [f32],
    scratch: &mut [f32],
) {
    let (geometry, areas) = (winograd.geometry, winograd.areas(scratch));
    let layout = Layout::new(geometry, Order::Blocked, winograd.images);
    let (kernels, point) = (Winograd::panel(geometry), winograd.output_point());
    let square = winograd.square();
    for group in 0..geometry.groups {
        read(winograd, group, x, areas.inputs, areas.band);
        let panels = group * layout.group_panels()..(group + 1) * layout.group_panels();
        for first in panels.clone().step_by(SET) {
            let together = first..(first + SET).min(panels.end);
            for (i, inputs) in areas.inputs.chunks_exact(winograd.input_point()).enumerate() {
                let x = Places {
                    x: inputs,
                    bases: areas.tiles,
                    offsets: areas.channels,
                };
                for number in together.clone().step_by(TOGETHER) {
                    let w = Panels {
                        data: &packed[number * kernels + i * kernels / square..],
                        apart: kernels,
                        count: TOGETHER.min(together.end - number),
                    };
                    let products = &mut areas.outputs[((number - first) * square + i) * point..];
                    tiles(x, w, w.beside(products, square * point), Start::Zero);
                }
            }
            for number in together {
                let panel = layout.panel(number);
                let mut biases = [0.0; PANEL];
                if let Some(bias) = epilogue.bias {
                    biases[..panel.channels.len()].copy_from_slice(&bias[panel.channels.clone()]);
                }
                let products = &areas.outputs[(number - first) * square * point..][..square * point];
                let write = match winograd.filter {
                    Filter::F4x3 => write::<6, 4>,
                    Filter::F5x3 => write::<7, 5>,
                    Filter::F6x3 => write::<8, 6>,
                    Filter::F4x5 => write::<8, 4>,
                };
                write(winograd, &panel, products, &biases, epilogue.rectify, y, areas.band);
            }
        }
    }
}

/// V of one group.
pub(super) fn read(winograd: &Winograd<'_>, group: usize, x: &[f32], to: &mut [f32], band: &mut [f32]) {
    match winograd.filter.points() {
        6 => simd::run(Inputs::<6> {
            winograd,
            group,
            x,
            to,
            band,
        }),
        7 => simd::run(Inputs::<7> {
            winograd,
            group,
            x,
            to,
            band,
        }),
        _ => simd::run(Inputs::<8> {
            winograd,
            group,
            x,
            to,
            band,
        }),
    }
}

fn write<const N: usize, const M: usize>(
    winograd: &Winograd<'_>,
    panel: &Panel,
    products: &[f32],
    bias: &[f32; PANEL],
    rectify: bool,
    y: &mut [f32],
    band: &mut [f32],
) {
    simd::run(Outputs::<N, M> {
        winograd,
        panel,
        products,
        bias,
        rectify,
        y,
        band,
    });
}
