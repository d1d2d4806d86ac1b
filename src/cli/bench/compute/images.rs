//! Random images, as the bytes of pixels: each device gets them as rows of its own layout.

use crate::devices::cpu::PlanarRows;
use crate::devices::row::{RowWriter, Subtract, View};
use crate::rng::{Philox, Purpose};

/// Square images of random pixels.
pub(super) struct Images {
    side: usize,
    /// RGB, image by image.
    pixels: Vec<u8>,
}

/// Mean and standard deviation of a random byte: the network gets values with mean 0 and variance 1.
const MEAN: f32 = 127.5;
const DEVIATION: f32 = 73.9;

impl Images {
    /// `count` images of `side` × `side` pixels.
    pub(super) fn random(seed: u64, count: usize, side: usize) -> Self {
        let mut random = Philox::new(seed, Purpose::Benchmark, 0, 0);
        let bytes = count * side * side * 3;
        let words = std::iter::repeat_with(|| random.next_u32().to_le_bytes());
        Self {
            side,
            pixels: words.take(bytes.div_ceil(4)).flatten().take(bytes).collect(),
        }
    }

    /// Writes an image as a row.
    pub(super) fn write(&self, writer: &dyn RowWriter, image: usize, row: &mut [u8]) {
        let bytes = self.side * self.side * 3;
        let view = View {
            pixels: &self.pixels[image * bytes..][..bytes],
            line: 3 * self.side,
            flip: false,
            mix: None,
            subtract: Subtract::Channel([MEAN; 3]),
            colour: [0.0; 3],
            scale: [1.0 / DEVIATION; 3],
            hole: None,
        };
        writer.write(&view, row);
    }

    /// What the network sees: `[image][colour][line][column]`.
    pub(super) fn floats(&self) -> Vec<f32> {
        let writer = PlanarRows::new(self.side);
        let len = self.side * self.side * 3;
        let mut row = vec![0u64; writer.row_bytes() / 8];
        let count = self.pixels.len() / len;
        let rows = (0..count).flat_map(|image| {
            self.write(&writer, image, bytemuck::cast_slice_mut(&mut row));
            bytemuck::cast_slice::<u64, f32>(&row)[..len].to_vec()
        });
        rows.collect()
    }
}
