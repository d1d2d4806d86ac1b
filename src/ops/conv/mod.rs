//! Convolution with groups (paper, section 3.5).
//!
//! ```text
//! y[n][o][q][r] = b[o] + Σ over c, i, j of w[o][c][i][j] · x[n][g·C/G + c][q·s + i − p][r·s + j − p],   g = ⌊o·G/O⌋
//! ```
//!
//! x: `[N][C][H][W]`, w: `[O][C/G][K][K]`, b: `[O]`, y: `[N][O][H'][W']` ([`map`](super::map) has the memory layouts). Inputs
//! outside the map are zero. With `partial_windows`, H' = 1 + ⌈(H + 2p − K) / s⌉, and the last window may extend over the edge:
//! 224 → 55 for K = 11, s = 4.
//!
//! Backward, from dy: `dw[o][c][i][j]` = Σ over n, q, r of dy · x at the same places; `db[o]` = Σ dy; dx is the transpose of
//! the forward sum.

mod algorithm;
mod bias;
pub mod cpu;
pub mod cuda;
mod direct;
mod epilogue;
mod layout;
mod panels;
mod patches;
mod prepared;
mod products;
mod winograd;

pub use algorithm::Algorithm;

use super::{Shape, windows};
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

impl Geometry {
    /// The geometry of `layer` on `input`; `None` if the window does not fit or the groups do not divide the channels.
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
        let window = self.kernel.saturating_mul(self.kernel);
        self.group_inputs().saturating_mul(window)
    }

    /// Elements of w.
    pub fn weights(&self) -> usize {
        self.output.channels.saturating_mul(self.patch())
    }

    /// Multiplications and additions of the forward pass for one image.
    pub fn multiply_adds(&self) -> u64 {
        (self.weights() as u64).saturating_mul(self.output.plane() as u64)
    }

    /// The convolution of dy with flipped kernels that gives dx, if there is one.
    pub fn transposed(&self) -> Option<Self> {
        let padding = (self.kernel - 1).checked_sub(self.padding)?;
        (self.stride == 1).then(|| Self {
            input: self.output,
            output: self.input,
            padding,
            ..self.clone()
        })
    }
}

/// How many of `most` images are processed together: at most about `near`, so that the parts are even.
fn evenly(most: usize, near: usize) -> usize {
    most.div_ceil(most.div_ceil(near.max(1)).max(1)).max(1)
}
