//! The input kernel of a GPU (`kernels/input.cu`).

use bytemuck::{Pod, Zeroable};

use crate::devices::cuda::{Address, Arguments, CudaError, Kernels, Launch};
use crate::ops::lanes::Laid;

/// As `kernels/input.cu` reads it.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Input {
    side: i32,
    pitch: i32,
    frame: i32,
    stride: i32,
    padding: i32,
    height: i32,
    width: i32,
}

/// How rows become the network's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Side of the images.
    pub side: usize,
    /// Bytes of a row.
    pub pitch: usize,
    /// Side of the mean image; 0 if there is none.
    pub frame: usize,
    /// Pixels along a side of a block, and the padding that is part of the blocks: 1 and 0 for the plain layout.
    pub blocks: (usize, usize),
    /// The input.
    pub x: Laid,
}

impl Kernel {
    /// Writes x from `images` rows. `mean` is the mean image, in planes.
    pub fn launch(
        &self,
        kernels: &mut Kernels,
        images: usize,
        (x, rows, mean): (Address, Address, Address),
    ) -> Result<Launch, CudaError> {
        let (stride, padding) = self.blocks;
        let values = Input {
            side: self.side as i32,
            pitch: self.pitch as i32,
            frame: self.frame as i32,
            stride: stride as i32,
            padding: padding as i32,
            height: self.x.height as i32,
            width: self.x.width as i32,
        };
        let chunks = self.x.chunks();
        let columns = (256 / chunks).clamp(1, self.x.width.max(1));
        let arguments = Arguments::default().array(x).array(rows).array(mean).value(values);
        let (grid, block) = ([self.x.height, images, 1], [chunks, columns, 1]);
        Ok(Launch::new(kernels.get("input_rows")?, grid, block, arguments))
    }
}
