//! How GPUs hold feature maps: `[image][row][column][lane]`, f32. The lanes of a place are its channels, rounded up to whole
//! chunks of 16 bytes, which is what a thread loads at once. The added lanes are zero, and every kernel keeps them so. A
//! vector of units is a map of one place.

use super::Shape;
use crate::devices::cuda::{Address, Arguments, CudaError, Kernels, Launch};

/// Floats of a chunk.
pub const LANES: usize = 4;

/// `channels`, rounded up to whole chunks.
pub const fn lanes(channels: usize) -> usize {
    channels.next_multiple_of(LANES)
}

/// A map as a GPU holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Laid {
    /// Rows of places.
    pub height: usize,
    /// Places of a row.
    pub width: usize,
    /// Floats of a place.
    pub lanes: usize,
}

impl Laid {
    /// A map of this shape.
    pub const fn new(shape: Shape) -> Self {
        Self {
            height: shape.height,
            width: shape.width,
            lanes: lanes(shape.channels),
        }
    }

    /// Places of an image.
    pub const fn places(self) -> usize {
        self.height * self.width
    }

    /// Chunks of a place.
    pub const fn chunks(self) -> usize {
        self.lanes / LANES
    }

    /// Floats of an image.
    pub const fn floats(self) -> usize {
        self.places() * self.lanes
    }
}

/// A launch of a kernel that takes one chunk of each of its arrays a thread, and their number.
pub(super) fn each_chunk(
    kernels: &mut Kernels,
    name: &'static str,
    arrays: &[Address],
    chunks: usize,
) -> Result<Launch, CudaError> {
    let arguments = arrays
        .iter()
        .fold(Arguments::default(), |arguments, array| arguments.array(*array));
    let arguments = arguments.value(chunks as u32);
    Ok(Launch::new(
        kernels.get(name)?,
        [chunks.div_ceil(256), 1, 1],
        [256, 1, 1],
        arguments,
    ))
}
