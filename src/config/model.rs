//! `[model]`: the network.

use std::num::NonZeroUsize;

use super::range::Range;
use super::value::table;

/// The largest side of a window, stride or padding. The paper's are 11, 4 and 2.
pub const WINDOW: usize = 1024;

/// The range of dropout probabilities.
pub(super) const PROBABILITY: Range = Range::below(0.0, 1.0);

/// The range of σ for initial weights.
pub(super) const SIGMA: Range = Range::between(0.0, 1000.0);

/// The range of initial biases.
pub(super) const BIAS: Range = Range::between(-1e6, 1e6);

/// The range of a layer's outputs, channels or classes.
pub(super) const UNITS: Range = Range::whole(1, 1 << 20);

table! {
    /// `[model]`: a preset, or a list of layers. The other keys override all layers that they apply to.
    Model {
        /// A network by name: `alexnet`, `alexnet-one-tower`, …
        preset: Option<String> = None,
        /// The layers, first to last.
        layers: Option<Vec<Layer>> = None,
        /// The dropout probability of every dropout layer.
        dropout: Option<f32> = None => PROBABILITY,
        /// The initial weights of every layer.
        init: Option<Init> = None => SIGMA,
        /// The initial bias of every layer that the preset starts at 1.
        bias: Option<f32> = None => BIAS,
        /// The expected number of classes, checked against the data.
        classes: Option<NonZeroUsize> = None => UNITS,
    }
}

impl Model {
    /// Checks the rules between keys.
    pub(super) fn check(&self, complain: &mut dyn FnMut(&str, String)) {
        match (&self.preset, &self.layers) {
            (None, None) => complain(
                "model.preset",
                "missing: choose a preset, or list `model.layers`".to_string(),
            ),
            (Some(_), Some(_)) => complain(
                "model.layers",
                "set `model.preset` or `model.layers`, not both".to_string(),
            ),
            _ => {}
        }
    }
}

/// A layer. Layers are listed in the order of the forward pass.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// Convolution with groups.
    Convolution(Convolution),
    /// y = W x + b over the flattened feature map.
    FullyConnected(FullyConnected),
    /// max(0, x).
    Relu,
    /// tanh(x).
    Tanh,
    /// Local response normalization across channels.
    Lrn(Lrn),
    /// Max pooling.
    MaxPool(MaxPool),
    /// Sets each unit to zero with probability p during training, scales by 1 − p in evaluation (as the paper does).
    Dropout(Dropout),
}

/// `{ type = "conv", … }`: square kernels. Groups split input and output channels alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Convolution {
    /// Name of its parameters: `<name>.weight`, `<name>.bias`.
    pub name: String,
    /// Output channels.
    pub channels: usize,
    /// Side of the kernel.
    pub kernel: usize,
    /// Distance between neighbouring windows.
    pub stride: usize,
    /// Zeros around the input.
    pub padding: usize,
    /// Independent groups of channels.
    pub groups: usize,
    /// Whether a window that hangs over the right or bottom edge counts (the 2012 code: 224 → 55 × 55 with 11 × 11, stride 4).
    pub partial_windows: bool,
    /// Initial weights.
    pub init: Init,
    /// Initial bias.
    pub bias: f32,
}

/// `{ type = "fc", … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct FullyConnected {
    /// Name of its parameters.
    pub name: String,
    /// Output units; `None` means one per class.
    pub outputs: Option<usize>,
    /// Initial weights.
    pub init: Init,
    /// Initial bias.
    pub bias: f32,
}

/// b = a / (k + α Σ a²)^β over `size` neighbouring channels (paper, section 3.3).
#[derive(Clone, Debug, PartialEq)]
pub struct Lrn {
    /// n: channels in a window.
    pub size: usize,
    /// α, on the plain sum of squares.
    pub alpha: f32,
    /// β.
    pub beta: f32,
    /// k.
    pub k: f32,
    /// Whether α is divided by `size`, as in the 2012 code.
    pub divide_by_size: bool,
}

/// Max pooling over `size` × `size` windows. With z ≠ s windows overlap (paper, section 3.4).
#[derive(Clone, Debug, PartialEq)]
pub struct MaxPool {
    /// z: side of a window.
    pub size: usize,
    /// s: distance between windows.
    pub stride: usize,
    /// Whether a window that hangs over the right or bottom edge counts.
    pub partial_windows: bool,
}

/// `{ type = "dropout", p = 0.5 }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dropout {
    /// Probability that a unit is set to zero.
    pub p: f32,
}

/// The distribution of initial weights: N(0, σ), with σ fixed or derived from the fan-in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// N(0, σ) with this σ (paper: 0.01 everywhere).
    Gaussian(f32),
    /// σ = √(2 / fan-in) (He et al. 2015).
    He,
    /// σ = √(1 / fan-in).
    FanIn,
}
