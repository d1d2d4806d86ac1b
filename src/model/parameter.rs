//! Named parameters: what the network has of them, and the host's record of their values.

use super::Spec;
use super::layer::{LayerSpec, Start};

/// What a parameter is, without its values.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSpec<'a> {
    /// Its layer.
    pub layer: &'a LayerSpec,
    /// How the layer's parameters begin.
    pub start: &'a Start,
    /// Whether it is the layer's bias; otherwise it is its weights.
    pub is_bias: bool,
}

impl ParameterSpec<'_> {
    /// `conv1.weight`, `conv1.bias`, …: the name in checkpoints.
    pub fn name(&self) -> String {
        format!("{}.{}", self.layer.name, if self.is_bias { "bias" } else { "weight" })
    }

    /// As in `PyTorch`: `[out, in/groups, kh, kw]`, `[out, in]`, or `[out]` for biases.
    pub fn shape(&self) -> &[usize] {
        let shape = &self.start.weight;
        if self.is_bias { &shape[..1] } else { shape }
    }
}

impl Spec {
    /// Weights and biases, layer by layer: the order in which everything that has a part for each parameter has it.
    pub fn parameter_specs(&self) -> impl Iterator<Item = ParameterSpec<'_>> {
        let with_parameters = self
            .layers
            .iter()
            .filter_map(|layer| Some((layer, layer.start.as_ref()?)));
        with_parameters.flat_map(|(layer, start)| [false, true].map(|is_bias| ParameterSpec { layer, start, is_bias }))
    }
}

/// The weights or biases of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// `conv1.weight`, `conv1.bias`, …: the name in checkpoints.
    pub name: String,
    /// As in `PyTorch`: `[out, in/groups, kh, kw]`, `[out, in]`, or `[out]` for biases.
    pub shape: Vec<usize>,
    /// w, row major.
    pub value: Vec<f32>,
    /// The solver's v.
    pub momentum: Vec<f32>,
}

impl Parameter {
    /// A parameter that starts with `value` and no momentum.
    pub fn new(name: String, shape: Vec<usize>, value: Vec<f32>) -> Self {
        let momentum = vec![0.0; value.len()];
        Self {
            name,
            shape,
            value,
            momentum,
        }
    }
}
