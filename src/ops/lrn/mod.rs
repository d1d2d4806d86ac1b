//! Local response normalization across channels (paper, section 3.3).
//!
//! ```text
//! s[i] = k + α Σ over j of a[j]²,   j from max(0, i − ⌊n/2⌋) to min(C − 1, i + ⌊n/2⌋)
//! b[i] = a[i] · s[i]^(−β)
//! da[i] = db[i] · s[i]^(−β) − 2αβ · a[i] · Σ over the same j of db[j] · a[j] · s[j]^(−β−1)
//! ```
//!
//! a, b: `[N][C][H][W]`. α multiplies the plain sum; with `divide_by_size` it is α/n, as in the 2012 code.

pub mod cpu;
pub mod cuda;

use super::Shape;
use crate::config::model::Lrn;

/// A normalization for one shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Geometry {
    /// C × H × W, of input and output.
    pub shape: Shape,
    /// ⌊n/2⌋: neighbours on each side.
    pub half_window: usize,
    /// α, as the factor of the plain sum.
    pub alpha: f32,
    /// β.
    pub beta: f32,
    /// k.
    pub k: f32,
}

impl Geometry {
    /// The geometry of `layer` on `shape`.
    pub fn new(layer: &Lrn, shape: Shape) -> Self {
        let alpha = if layer.divide_by_size {
            layer.alpha / layer.size as f32
        } else {
            layer.alpha
        };
        Self {
            shape,
            half_window: layer.size / 2,
            alpha,
            beta: layer.beta,
            k: layer.k,
        }
    }
}
