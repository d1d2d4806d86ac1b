//! Convolution with groups (paper, section 3.5).
//!
//! ```text
//! y[n][o][q][r] = b[o] + Σ over c, i, j of w[o][c][i][j] · x[n][g·C/G + c][q·s + i − p][r·s + j − p],   g = ⌊o·G/O⌋
//! ```
//!
//! x: `[N][C][H][W]`, w: `[O][C/G][K][K]`, b: `[O]`, y: `[N][O][H'][W']`; inputs outside the map read as zero. With
//! `partial_windows`, H' = 1 + ⌈(H + 2p − K) / s⌉, and the last window may hang over the edge: 224 → 55 for K = 11, s = 4.
//!
//! Backward, from dy: `dw[o][c][i][j]` = Σ over n, q, r of dy · x at the same places; `db[o]` = Σ dy; dx is the transpose of
//! the forward sum.

pub mod cpu;
mod direct;
mod im2col;
mod layout;
pub mod patches;
pub mod tile;

use super::{Chunks, Shape, windows};
use crate::config::model::Convolution;

/// A convolution for one input shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// C × H × W.
    pub input: Shape,
    /// O × H' × W'.
    pub output: Shape,
    /// K: side of the kernel.
    pub kernel: usize,
    /// s: distance between windows.
    pub stride: usize,
    /// p: zeros around the input.
    pub padding: usize,
    /// G: independent groups of channels.
    pub groups: usize,
}

/// Columns that a matrix product should have at least: fewer leave the kernel's registers half empty.
const COLUMNS: usize = 512;

/// Positions that share packed weights in direct convolution, about: packing costs as much as some 60 positions.
const POSITIONS: usize = 1024;

/// Output channels per group that direct convolution needs: fewer leave more than half of a tile's lanes empty.
const FEWEST: usize = 8;

impl Geometry {
    /// The geometry of `layer` on `input`; `None` where the window does not fit or the groups do not divide.
    pub fn new(layer: &Convolution, input: Shape) -> Option<Self> {
        let &Convolution {
            channels,
            kernel,
            stride,
            padding,
            groups,
            partial_windows,
            ..
        } = layer;
        if groups == 0 || !channels.is_multiple_of(groups) || !input.channels.is_multiple_of(groups) {
            return None;
        }
        let side = |size| windows(size, kernel, stride, padding, partial_windows);
        let output = Shape::new(channels, side(input.height)?, side(input.width)?);
        Some(Self {
            input,
            output,
            kernel,
            stride,
            padding,
            groups,
        })
    }

    /// Input channels of a group.
    pub fn group_inputs(&self) -> usize {
        self.input.channels / self.groups
    }

    /// Output channels of a group.
    pub fn group_outputs(&self) -> usize {
        self.output.channels / self.groups
    }

    /// Inputs of one window, C/G · K · K: the fan-in.
    pub fn patch(&self) -> usize {
        self.group_inputs() * self.kernel * self.kernel
    }

    /// Elements of w.
    pub fn weights(&self) -> usize {
        self.output.channels * self.patch()
    }

    /// Multiplications and additions of the forward pass for one image.
    pub fn multiply_adds(&self) -> u64 {
        self.weights() as u64 * self.output.plane() as u64
    }

    /// Whether direct convolution is used forward and for the weight gradient.
    pub fn is_direct(&self) -> bool {
        // Places are u32.
        let most = layout::Layout::new(self, POSITIONS.div_ceil(self.output.plane()));
        self.group_outputs() >= FEWEST && u32::try_from(most.scratch()).is_ok()
    }

    /// The convolution of dy with flipped kernels that gives dx; `None` where matrix products are used instead.
    pub fn transposed(&self) -> Option<Self> {
        let padding = (self.kernel - 1).checked_sub(self.padding)?;
        let transposed = Self {
            input: self.output,
            output: self.input,
            padding,
            ..self.clone()
        };
        (self.stride == 1 && transposed.is_direct()).then_some(transposed)
    }

    /// Images that are worked on together, at most the longest chunk: several where maps are small. Parts are even.
    fn step(&self, direct: bool, chunks: &Chunks) -> usize {
        let (chunk, plane) = (chunks.longest(), self.output.plane());
        let most = if direct {
            POSITIONS.div_ceil(plane)
        } else {
            (COLUMNS / plane).max(1)
        };
        chunk.div_ceil(chunk.div_ceil(most).max(1)).max(1)
    }

    /// Floats of scratch that one task borrows.
    pub fn scratch(&self, chunks: &Chunks) -> usize {
        let products = || {
            let columns = self.step(false, chunks) * self.output.plane();
            (self.patch() + self.group_outputs()) * columns
        };
        let direct = |geometry: &Self| layout::Layout::new(geometry, geometry.step(true, chunks)).scratch();
        let forward = if self.is_direct() { direct(self) } else { products() };
        forward.max(self.transposed().as_ref().map_or_else(products, direct))
    }

    /// Floats of the partial sums of dw and db that one chunk makes.
    pub fn partial(&self) -> usize {
        self.weights() + self.output.channels
    }
}
