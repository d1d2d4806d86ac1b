//! Rows of the CPU device: f32, planes of R, G and B, each `side` × `side`.
//!
//! Each line goes through a few short passes while it is in the first-level cache: bytes to floats, colours, mean and scale,
//! reflection. Every pass is a plain loop that the compiler vectorizes. The same loops are compiled a second time for
//! processors with AVX2. No multiply-add is contracted, so both versions give the same bits.

#![expect(
    clippy::inline_always,
    reason = "each loop must be inlined into the function that is compiled for AVX2"
)]

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
        let floats: &mut [f32] = bytemuck::cast_slice_mut(row);
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2.
            return unsafe { write_avx2(self.side, view, floats) };
        }
        write(self.side, view, floats);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn write_avx2(side: usize, view: &View<'_>, floats: &mut [f32]) {
    write(side, view, floats);
}

#[inline(always)]
fn write(side: usize, view: &View<'_>, floats: &mut [f32]) {
    let (red, rest) = floats.split_at_mut(side * side);
    let (green, blue) = rest.split_at_mut(side * side);
    let lines = red
        .chunks_exact_mut(side)
        .zip(green.chunks_exact_mut(side))
        .zip(blue.chunks_exact_mut(side));
    for (y, ((r, g), b)) in lines.enumerate() {
        unpack(&view.pixels[y * view.line..][..3 * side], r, g, b);
        if let Some(mix) = &view.mix {
            blend(mix, r, g, b);
        }
        for (channel, line) in [r, g, b].into_iter().enumerate() {
            let (colour, scale) = (view.colour[channel], view.scale[channel]);
            match &view.subtract {
                Subtract::Channel(mean) => shift(line, colour - mean[channel], scale),
                Subtract::Image {
                    planes,
                    at,
                    line: pitch,
                } => {
                    subtract(line, &planes[channel][at + y * pitch..][..side], colour, scale);
                }
            }
            if view.flip {
                line.reverse();
            }
            if let Some(hole) = view
                .hole
                .filter(|hole| (hole.y..hole.y + hole.height).contains(&(y as u32)))
            {
                // The expected value was subtracted, so 0 carries no information.
                line[hole.x as usize..][..hole.width as usize].fill(0.0);
            }
        }
    }
}

/// RGB bytes to three lines.
#[inline(always)]
fn unpack(pixels: &[u8], r: &mut [f32], g: &mut [f32], b: &mut [f32]) {
    for (((pixel, r), g), b) in pixels.chunks_exact(3).zip(r).zip(g).zip(b) {
        *r = f32::from(pixel[0]);
        *g = f32::from(pixel[1]);
        *b = f32::from(pixel[2]);
    }
}

/// Each colour becomes a sum of all three and a constant, within 0..255.
#[inline(always)]
fn blend(mix: &[[f32; 4]; 3], r: &mut [f32], g: &mut [f32], b: &mut [f32]) {
    let sum =
        |row: &[f32; 4], r: f32, g: f32, b: f32| (row[0] * r + row[1] * g + row[2] * b + row[3]).clamp(0.0, 255.0);
    for ((r, g), b) in r.iter_mut().zip(g).zip(b) {
        let (x, y, z) = (*r, *g, *b);
        (*r, *g, *b) = (sum(&mix[0], x, y, z), sum(&mix[1], x, y, z), sum(&mix[2], x, y, z));
    }
}

#[inline(always)]
fn shift(line: &mut [f32], by: f32, scale: f32) {
    line.iter_mut().for_each(|value| *value = (*value + by) * scale);
}

#[inline(always)]
fn subtract(line: &mut [f32], mean: &[f32], colour: f32, scale: f32) {
    for (value, mean) in line.iter_mut().zip(mean) {
        *value = (*value - mean + colour) * scale;
    }
}
