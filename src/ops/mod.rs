//! The operations of the network. Each `mod.rs` has the definition, `cpu.rs` and `cuda.rs` beside it the implementations.
//!
//! Feature maps are f32, with the memory layouts of [`map`]; vectors are `[image][unit]`. Operations on feature maps process
//! one or a few images on the calling thread: the network decides which thread gets which images.

mod activation;
pub mod chunks;
pub mod conv;
pub mod dropout;
pub mod input;
pub mod lanes;
pub mod linear;
pub mod lrn;
pub mod map;
pub mod matrix;
pub mod peak;
pub mod pool;
pub mod relu;
pub mod sgd;
pub mod simd;
pub mod softmax;
pub mod tanh;
mod tile;

pub use chunks::Chunks;

/// The most elements of one image's map, or of a parameter. With this limit, all sizes that operations compute (halos, panels,
/// scratch, all of them for a batch) fit into a `usize`.
pub const LARGEST: usize = u32::MAX as usize;

/// The most multiply-adds of a layer for one image: a few minutes of work.
pub const MAX_PRODUCTS: u64 = 1 << 48;

/// The shape of one image's feature map. Its sizes saturate instead of overflowing, and a saturated size is larger than
/// [`LARGEST`], so networks with it are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Maps (or units, if height and width are 1).
    pub channels: usize,
    /// Rows of a map.
    pub height: usize,
    /// Columns of a map.
    pub width: usize,
}

impl Shape {
    /// A shape of `channels` maps of `height` × `width`.
    pub const fn new(channels: usize, height: usize, width: usize) -> Self {
        Self {
            channels,
            height,
            width,
        }
    }

    /// A vector of `units`.
    pub const fn vector(units: usize) -> Self {
        Self::new(units, 1, 1)
    }

    /// Positions of one map.
    pub const fn plane(self) -> usize {
        self.height.saturating_mul(self.width)
    }

    /// Elements of one image.
    pub const fn len(self) -> usize {
        self.channels.saturating_mul(self.plane())
    }

    /// Whether there is no element.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}×{}×{}", self.channels, self.height, self.width)
    }
}

/// Windows along one side: 1 + ⌊(input + 2·padding − size) / stride⌋, or ⌈…⌉ if `partial` windows count.
///
/// `None` if the window is larger than the padded input, or the stride is 0.
pub const fn windows(input: usize, size: usize, stride: usize, padding: usize, partial: bool) -> Option<usize> {
    let padded = input.saturating_add(padding.saturating_mul(2));
    if size == 0 || stride == 0 || padded < size {
        return None;
    }
    let room = padded - size;
    Some(1 + if partial { room.div_ceil(stride) } else { room / stride })
}
