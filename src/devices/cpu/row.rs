//! Rows of the CPU device: f32, planes of R, G and B, each `side` × `side`.

use crate::devices::row::{RowWriter, Subtract, View};

/// Writes `side` × `side` crops as three planes of f32.
#[derive(Clone, Copy, Debug)]
pub struct PlanarRows {
    side: usize,
}

impl PlanarRows {
    /// For crops of `side` × `side` pixels.
    pub fn new(side: usize) -> Self {
        Self { side }
    }
}

impl RowWriter for PlanarRows {
    fn row_bytes(&self) -> usize {
        // Odd sides give an odd number of floats; rows stay aligned to 8 bytes.
        (3 * self.side * self.side * size_of::<f32>()).next_multiple_of(8)
    }

    fn write(&self, view: &View<'_>, row: &mut [u8]) {
        let side = self.side;
        let floats: &mut [f32] = bytemuck::cast_slice_mut(row);
        let (red, rest) = floats.split_at_mut(side * side);
        let (green, blue) = rest.split_at_mut(side * side);
        for y in 0..side {
            let pixels = &view.pixels[y * view.line..][..3 * side];
            let span = y * side..(y + 1) * side;
            for (channel, plane) in [&mut *red, &mut *green, &mut *blue].into_iter().enumerate() {
                let out = &mut plane[span.clone()];
                let (colour, scale) = (view.colour[channel], view.scale[channel]);
                match view.subtract {
                    Subtract::Channel(mean) => {
                        let shift = colour - mean[channel];
                        for (value, pixel) in out.iter_mut().zip(pixels.chunks_exact(3)) {
                            *value = (f32::from(pixel[channel]) + shift) * scale;
                        }
                    }
                    Subtract::Image { values, line } => {
                        let mean = values[y * line..][..3 * side].chunks_exact(3);
                        for ((value, pixel), mean) in out.iter_mut().zip(pixels.chunks_exact(3)).zip(mean) {
                            *value = (f32::from(pixel[channel]) - mean[channel] + colour) * scale;
                        }
                    }
                }
                if view.flip {
                    out.reverse();
                }
            }
        }
    }
}
