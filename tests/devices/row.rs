//! The CPU's rows against the formula: value = (mix(pixel) − mean + colour) · scale at the reflected place and 0 in the hole,
//! in planes R, G, B.

use pipeline::devices::cpu::PlanarRows;
use pipeline::devices::row::{Hole, RowWriter, Subtract, View};
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_row_holds_what_the_formula_says(
        side in 1usize..40, margin in 0usize..5, seed: u32, flip: bool, of_image: bool,
        colour in prop::array::uniform3(-30.0f32..30.0), scale in prop::array::uniform3(0.001f32..2.0),
        mix in prop::option::of(prop::array::uniform3(prop::array::uniform4(-0.5f32..1.0))),
        cutout in prop::option::of((0.0f64..1.0, 0.0f64..1.0, 0.0f64..1.0, 0.0f64..1.0)),
    ) {
        let line = 3 * (side + margin);
        let random = |i: usize| (i as u32).wrapping_mul(2_654_435_761).wrapping_add(seed) >> 24;
        let pixels: Vec<u8> = (0..line * side).map(|i| random(i) as u8).collect();
        let pitch = side + margin;
        let means: [Vec<f32>; 3] = [77, 78, 79].map(|from| {
            (0..pitch * side).map(|i| random(3 * i + from) as f32 * 0.9).collect()
        });
        let channel = [120.5, 110.25, 99.0];
        let subtract = if of_image {
            Subtract::Image { planes: [&means[0], &means[1], &means[2]], at: 0, line: pitch }
        } else {
            Subtract::Channel(channel)
        };
        let part = |share: f64, of: usize| (share * of as f64) as u32;
        let hole = cutout.map(|(x, y, width, height)| {
            let (x, y) = (part(x, side), part(y, side));
            Hole { x, y, width: part(width, side - x as usize), height: part(height, side - y as usize) }
        });
        let view = View { pixels: &pixels, line, flip, mix, subtract, colour, scale, hole };

        let writer = PlanarRows::new(side);
        prop_assert_eq!(writer.row_bytes() % 8, 0);
        let mut row = vec![0u64; writer.row_bytes() / 8];
        writer.write(&view, bytemuck::cast_slice_mut(&mut row));
        let floats: &[f32] = bytemuck::cast_slice(&row);

        for c in 0..3 {
            for y in 0..side {
                for x in 0..side {
                    let column = if flip { side - 1 - x } else { x };
                    let at = |channel: usize| f64::from(pixels[y * line + 3 * column + channel]);
                    let value = mix.map_or(at(c), |mix| {
                        let row = mix[c].map(f64::from);
                        (row[0] * at(0) + row[1] * at(1) + row[2] * at(2) + row[3]).clamp(0.0, 255.0)
                    });
                    let mean = f64::from(if of_image { means[c][y * pitch + column] } else { channel[c] });
                    let mut expected = (value - mean + f64::from(colour[c])) * f64::from(scale[c]);
                    if hole.is_some_and(|hole| {
                        (hole.x..hole.x + hole.width).contains(&(x as u32))
                            && (hole.y..hole.y + hole.height).contains(&(y as u32))
                    }) {
                        expected = 0.0;
                    }
                    let found = f64::from(floats[(c * side + y) * side + x]);
                    prop_assert!((found - expected).abs() <= 1e-4 * expected.abs().max(1.0), "{found} for {expected}");
                }
            }
        }
    }
}
