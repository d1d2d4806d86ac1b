//! How a crop is shown to the network: what is subtracted, what it is divided by, how a row is written.

use std::sync::Arc;

use super::rule::Draw;
use crate::devices::row::{RowWriter, Subtract, View};
use crate::stages::decode::Region;

/// What is subtracted from a crop.
#[derive(Clone, Debug)]
pub enum Mean {
    /// One number a channel.
    Channel([f32; 3]),
    /// The mean image, RGB interleaved, `side` × `side` like every frame.
    Image {
        /// Side of the image.
        side: u32,
        /// side · side · 3 values.
        values: Arc<[f32]>,
    },
}

/// The same for training, evaluation and prediction.
#[derive(Clone)]
pub struct Look {
    /// What is subtracted.
    pub mean: Mean,
    /// 1 / standard deviation, or 1.
    pub scale: [f32; 3],
    /// The device's door.
    pub writer: Arc<dyn RowWriter>,
}

impl Look {
    /// Writes what `draw` has drawn into `row`. `pixels` is the RGB of `region`, which holds the crop.
    pub fn write(&self, draw: &Draw, pixels: &[u8], region: Region, row: &mut [u8]) {
        let line = 3 * region.width as usize;
        let (x, y) = ((draw.region.x - region.x) as usize, (draw.region.y - region.y) as usize);
        let subtract = match &self.mean {
            Mean::Channel(mean) => Subtract::Channel(*mean),
            Mean::Image { side, values } => {
                let at = 3 * (draw.region.y * side + draw.region.x) as usize;
                Subtract::Image {
                    values: &values[at..],
                    line: 3 * *side as usize,
                }
            }
        };
        let view = View {
            pixels: &pixels[y * line + 3 * x..],
            line,
            flip: draw.flip,
            subtract,
            colour: draw.colour,
            scale: self.scale,
        };
        self.writer.write(&view, row);
    }
}
