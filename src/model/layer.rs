//! One layer, with its shapes.

use super::columns::Reshard;
use crate::config::model::Init;
use crate::ops::{Shape, conv, linear, lrn, pool};

/// What a layer computes, with its shapes.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Convolution.
    Conv(conv::Geometry),
    /// Fully connected.
    Linear(linear::Geometry),
    /// max(0, x).
    Relu,
    /// tanh(x).
    Tanh,
    /// Local response normalization.
    Lrn(lrn::Geometry),
    /// Max pooling.
    Pool(pool::Geometry),
    /// Dropout.
    Dropout {
        /// Probability of zero.
        p: f32,
        /// How many dropout layers come before. It is part of the key of the masks.
        number: u32,
    },
    /// Nothing is computed: devices exchange the map.
    Reshard(Reshard),
}

impl Operation {
    /// Its name: `conv`, `fc`, `relu`, `tanh`, `lrn`, `maxpool`, `dropout`, `reshard`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Conv(_) => "conv",
            Self::Linear(_) => "fc",
            Self::Relu => "relu",
            Self::Tanh => "tanh",
            Self::Lrn(_) => "lrn",
            Self::Pool(_) => "maxpool",
            Self::Dropout { .. } => "dropout",
            Self::Reshard(_) => "reshard",
        }
    }
}

/// The initial parameters of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// Initialization of the weights.
    pub init: Init,
    /// Initial value of the biases.
    pub bias: f32,
    /// Shape of the weights, as in `PyTorch`: [out, in/groups, kh, kw] or [out, in].
    pub weight: Vec<usize>,
    /// How many layers with parameters come before. It is part of the key of the weights.
    pub number: u32,
}

impl Start {
    /// Inputs per output, by which `Init::He` and `Init::FanIn` divide.
    pub fn fan_in(&self) -> usize {
        self.weight[1..].iter().product()
    }
}

/// A range of a layer's outputs (channels or units).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Number of the first.
    pub first: usize,
    /// Number of outputs over all devices.
    pub of: usize,
}

/// One layer, as `pipeline check` prints it.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerSpec {
    /// The name of its parameters, or its kind and a number.
    pub name: String,
    /// What it does.
    pub operation: Operation,
    /// Shape of the input.
    pub input: Shape,
    /// Shape of the output.
    pub output: Shape,
    /// Which of the layer's outputs this device has, if several devices share them.
    pub span: Span,
    /// Its initial parameters; `None` if it has none.
    pub start: Option<Start>,
}

impl LayerSpec {
    /// Weights and biases.
    pub fn parameters(&self) -> usize {
        self.start
            .as_ref()
            .map_or(0, |start| start.weight.iter().product::<usize>() + start.weight[0])
    }

    /// Multiplications and additions of the forward pass for one image (of the matrix products).
    pub fn multiply_adds(&self) -> u64 {
        match &self.operation {
            Operation::Conv(conv) => conv.multiply_adds(),
            Operation::Linear(linear) => linear.weights() as u64,
            _ => 0,
        }
    }
}
