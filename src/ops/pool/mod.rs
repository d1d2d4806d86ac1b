//! Max pooling, overlapping where the stride is less than the window (paper, section 3.4).
//!
//! ```text
//! y[n][c][q][r] = max over i, j < z of x[n][c][q·s + i][r·s + j],   inside the map
//! dx at the first maximum (in row-major order) of each window receives its dy
//! ```
//!
//! x: `[N][C][H][W]`, y: `[N][C][H'][W']`, H' = 1 + ⌊(H − z) / s⌋, or ⌈…⌉ with `partial_windows`.
//! The argmax of each window is kept as a byte, i·z + j.

pub mod cpu;
pub mod cuda;
mod overlapping;

use super::{Shape, windows};
use crate::config::model::MaxPool;

/// A pooling for one input shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// C × H × W.
    pub input: Shape,
    /// C × H' × W'.
    pub output: Shape,
    /// z: side of a window.
    pub size: usize,
    /// s: distance between windows.
    pub stride: usize,
}

/// The largest window whose argmax fits in a byte.
pub const LARGEST: usize = 16;

impl Geometry {
    /// The geometry of `layer` on `input`; `None` if the window does not fit, is too large, or could be outside the input.
    pub fn new(layer: &MaxPool, input: Shape) -> Option<Self> {
        let &MaxPool {
            size,
            stride,
            partial_windows,
        } = layer;
        if size > LARGEST || (partial_windows && stride > size) {
            return None;
        }
        let side = |input| windows(input, size, stride, 0, partial_windows);
        let output = Shape::new(input.channels, side(input.height)?, side(input.width)?);
        Some(Self {
            input,
            output,
            size,
            stride,
        })
    }
}
