//! The first layer by blocks of pixels: space to depth.

use crate::ops::conv::Geometry;
use crate::ops::lanes::{Laid, lanes};

/// The largest stride: the input kernel has a thread for each chunk of a block.
const MOST_STRIDE: usize = 18;

/// The blocks of pixels into which the first layer's stride divides the image. A place of its input is such a block, with a
/// lane for each pixel and colour, so the layer has stride 1, no padding, and a window that is as many times smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks {
    /// s: pixels along a side of a block.
    pub stride: usize,
    /// K: side of the layer's own window.
    pub kernel: usize,
}

impl Blocks {
    /// The blocks of a convolution on the network's input, if it is better computed by blocks.
    pub fn of(geometry: &Geometry) -> Option<Self> {
        let fits = geometry.stride <= MOST_STRIDE && geometry.stride <= geometry.kernel;
        (geometry.groups == 1 && geometry.input.channels == 3 && geometry.stride > 1 && fits).then_some(Self {
            stride: geometry.stride,
            kernel: geometry.kernel,
        })
    }

    /// The network's input by blocks: as many as the windows need.
    pub fn input(self, geometry: &Geometry) -> Laid {
        Laid {
            height: geometry.output.height + self.window() - 1,
            width: geometry.output.width + self.window() - 1,
            lanes: self.lanes(),
        }
    }

    /// K': blocks along a side of the window.
    pub fn window(self) -> usize {
        self.kernel.div_ceil(self.stride)
    }

    /// Lanes of a block of three colours.
    pub fn lanes(self) -> usize {
        lanes(3 * self.stride * self.stride)
    }

    /// Where the tap of row `i`, column `j` and colour `c` of the layer's own window is: block row, block column, lane.
    pub fn place(self, i: usize, j: usize, c: usize) -> [usize; 3] {
        let s = self.stride;
        [i / s, j / s, (i % s * s + j % s) * 3 + c]
    }
}
