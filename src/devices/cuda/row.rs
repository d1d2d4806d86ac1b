//! Rows of a GPU: a header of numbers, and the crop's bytes as they are. `kernels/input.cu` does the rest.
//!
//! PCIe then carries a quarter of what floats would be, and the processor only copies.

use bytemuck::{Pod, Zeroable};

use crate::devices::row::{RowWriter, Subtract, View};

/// A row's header, as `kernels/input.cu` reads it. One of zeros is an image that is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Header {
    mix: [[f32; 4]; 3],
    mean: [f32; 3],
    colour: [f32; 3],
    scale: [f32; 3],
    /// Where the crop's top left pixel is in a plane of the mean image; −1: `mean` is subtracted.
    mean_at: i32,
    hole_x: i32,
    hole_y: i32,
    hole_width: i32,
    hole_height: i32,
    flags: u32,
    reserved: u32,
}

/// There is an image.
const PRESENT: u32 = 1;
/// Left and right are exchanged.
const FLIP: u32 = 2;
/// The colours are mixed.
const MIX: u32 = 4;

/// Writes `side` × `side` crops as bytes.
#[derive(Clone, Copy, Debug)]
pub struct ByteRows {
    side: usize,
}

impl ByteRows {
    /// For crops of `side` × `side` pixels.
    pub fn new(side: usize) -> Self {
        Self { side }
    }
}

impl RowWriter for ByteRows {
    fn row_bytes(&self) -> usize {
        // The kernel reads a header 16 bytes at a time.
        (size_of::<Header>() + 3 * self.side * self.side).next_multiple_of(16)
    }

    fn write(&self, view: &View<'_>, row: &mut [u8]) {
        let (head, pixels) = row.split_at_mut(size_of::<Header>());
        head.copy_from_slice(bytemuck::bytes_of(&Header::of(view)));
        let line = 3 * self.side;
        for (to, from) in pixels
            .chunks_exact_mut(line)
            .take(self.side)
            .zip(view.pixels.chunks(view.line))
        {
            to.copy_from_slice(&from[..line]);
        }
    }
}

impl Header {
    fn of(view: &View<'_>) -> Self {
        let (mean, mean_at) = match view.subtract {
            Subtract::Channel(mean) => (mean, -1),
            Subtract::Image { at, .. } => ([0.0; 3], at as i32),
        };
        let flag = |is_set, flag| if is_set { flag } else { 0 };
        let mut header = Self {
            mix: view.mix.unwrap_or_default(),
            mean,
            colour: view.colour,
            scale: view.scale,
            mean_at,
            flags: PRESENT | flag(view.flip, FLIP) | flag(view.mix.is_some(), MIX),
            ..Self::default()
        };
        if let Some(hole) = view.hole {
            header.hole_x = hole.x as i32;
            header.hole_y = hole.y as i32;
            header.hole_width = hole.width as i32;
            header.hole_height = hole.height as i32;
        }
        header
    }
}
