//! The CPU's rows against the formula: value = (pixel − mean + colour) · scale at the reflected place, planes of R, G, B.

use pipeline::devices::cpu::PlanarRows;
use pipeline::devices::row::{RowWriter, Subtract, View};
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_row_holds_what_the_formula_says(
        side in 1usize..20, margin in 0usize..5, seed: u32, flip: bool, of_image: bool,
        colour in prop::array::uniform3(-30.0f32..30.0), scale in prop::array::uniform3(0.001f32..2.0),
    ) {
        let line = 3 * (side + margin);
        let mix = |i: usize| (i as u32).wrapping_mul(2_654_435_761).wrapping_add(seed) >> 24;
        let pixels: Vec<u8> = (0..line * side).map(|i| mix(i) as u8).collect();
        let means: Vec<f32> = (0..line * side).map(|i| mix(i + 77) as f32 * 0.9).collect();
        let channel = [120.5, 110.25, 99.0];
        let subtract = if of_image { Subtract::Image { values: &means, line } } else { Subtract::Channel(channel) };
        let view = View { pixels: &pixels, line, flip, subtract, colour, scale };

        let writer = PlanarRows::new(side);
        prop_assert_eq!(writer.row_bytes() % 8, 0);
        let mut row = vec![0u64; writer.row_bytes() / 8];
        writer.write(&view, bytemuck::cast_slice_mut(&mut row));
        let floats: &[f32] = bytemuck::cast_slice(&row);

        for c in 0..3 {
            for y in 0..side {
                for x in 0..side {
                    let from = y * line + 3 * (if flip { side - 1 - x } else { x }) + c;
                    let mean = f64::from(if of_image { means[from] } else { channel[c] });
                    let expected = (f64::from(pixels[from]) - mean + f64::from(colour[c])) * f64::from(scale[c]);
                    let found = f64::from(floats[(c * side + y) * side + x]);
                    prop_assert!((found - expected).abs() <= 1e-4 * expected.abs().max(1.0), "{found} for {expected}");
                }
            }
        }
    }
}
