//! Fully connected layer (paper, section 3.5).
//!
//! ```text
//! y[n][o] = b[o] + Σ over i of w[o][i] · x[n][i]
//! dw[o][i] = Σ over n of dy[n][o] · x[n][i]     db[o] = Σ over n of dy[n][o]     dx[n][i] = Σ over o of dy[n][o] · w[o][i]
//! ```
//!
//! x: `[N][I]` (a feature map flattened as `[C][H][W]`), w: `[O][I]`, b: `[O]`, y: `[N][O]`.

pub mod cpu;

/// A fully connected layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// I.
    pub inputs: usize,
    /// O.
    pub outputs: usize,
}

impl Geometry {
    /// Elements of w.
    pub fn weights(self) -> usize {
        self.inputs.saturating_mul(self.outputs)
    }

    /// Whether it is small enough. The CPU sets the limit for all devices, so that a network that trains on one trains
    /// on any.
    pub fn fits(self) -> bool {
        cpu::Kernel::new(self).fits()
    }
}
