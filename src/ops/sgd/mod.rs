//! Stochastic gradient descent with momentum and weight decay (paper, section 5).
//!
//! ```text
//! v ← μ v − λ ε w − ε g
//! w ← w + v
//! ```
//!
//! w: parameters, v: momentum, g: mean gradient over the present rows of the batch, ε: learning rate, μ: momentum, λ:
//! weight decay.

pub mod cpu;
pub mod cuda;

/// The numbers of one update of one parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// ε.
    pub lr: f32,
    /// μ.
    pub momentum: f32,
    /// λ.
    pub weight_decay: f32,
    /// Whether parameter and momentum stay as they are.
    pub frozen: bool,
}
