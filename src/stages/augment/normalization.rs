//! How pixels become the network's input: what is subtracted, what they are divided by, and how a row is written.

use std::sync::Arc;

use super::jitter::LUMA;
use crate::devices::row::{RowWriter, Subtract, View};
use crate::stages::frame::Region;
use crate::stages::rule::Draw;

/// What is subtracted from a crop.
#[derive(Clone, Debug)]
pub enum Mean {
    /// One number per channel.
    Channel([f32; 3]),
    /// The mean image, in planes, with the frame's size: `side` × `side`.
    Image {
        /// Side of the image.
        side: u32,
        /// side · side values of R, then of G, then of B.
        values: Arc<[f32]>,
    },
}

/// From pixels to input. The same for training, evaluation and prediction.
#[derive(Clone)]
pub struct Normalization {
    /// Side of the crop that the network sees.
    pub crop: u32,
    /// What is subtracted.
    pub mean: Mean,
    /// 1 / standard deviation, or 1.
    pub scale: [f32; 3],
    /// Writes rows in the device's layout.
    pub writer: Arc<dyn RowWriter>,
}

impl Normalization {
    /// The mean image, if one is subtracted: planes R, G and B.
    pub fn mean_image(&self) -> Option<Arc<[f32]>> {
        match &self.mean {
            Mean::Channel(_) => None,
            Mean::Image { values, .. } => Some(Arc::clone(values)),
        }
    }

    /// Writes the view that was drawn into `row`. `pixels` is the RGB of `region`, which contains the crop.
    pub fn write(&self, draw: &Draw, pixels: &[u8], region: Region, row: &mut [u8]) {
        let line = 3 * region.width as usize;
        let (x, y) = ((draw.region.x - region.x) as usize, (draw.region.y - region.y) as usize);
        let subtract = match &self.mean {
            Mean::Channel(mean) => Subtract::Channel(*mean),
            Mean::Image { side, values } => {
                let at = (draw.region.y * side + draw.region.x) as usize;
                let plane = (side * side) as usize;
                Subtract::Image {
                    planes: [0, 1, 2].map(|channel| &values[channel * plane..][..plane]),
                    at,
                    line: *side as usize,
                }
            }
        };
        let pixels = &pixels[y * line + 3 * x..];
        let view = View {
            pixels,
            line,
            flip: draw.flip,
            mix: draw.jitter.map(|jitter| jitter.mix(mean_grey(pixels, line, self.crop))),
            subtract,
            colour: draw.colour,
            scale: self.scale,
            hole: draw.hole,
        };
        self.writer.write(&view, row);
    }
}

/// The mean of a crop's grey values, towards which a lower contrast moves its colours.
fn mean_grey(pixels: &[u8], line: usize, crop: u32) -> f32 {
    let mut sums = [0_u64; 3];
    for line in pixels.chunks(line).take(crop as usize) {
        // A line's sums fit 32 bits, which vectorize better.
        let mut of_line = [0_u32; 3];
        for pixel in line[..3 * crop as usize].chunks_exact(3) {
            of_line
                .iter_mut()
                .zip(pixel)
                .for_each(|(sum, value)| *sum += u32::from(*value));
        }
        sums.iter_mut()
            .zip(of_line)
            .for_each(|(sum, line)| *sum += u64::from(line));
    }
    let grey: f64 = sums
        .iter()
        .zip(LUMA)
        .map(|(&sum, weight)| sum as f64 * f64::from(weight))
        .sum();
    (grey / f64::from(crop * crop)) as f32
}
