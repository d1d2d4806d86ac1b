//! Named parameters.

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

    /// The name of the layer: everything before the last dot.
    pub fn layer(&self) -> &str {
        self.name.rsplit_once('.').map_or(&self.name, |(layer, _)| layer)
    }

    /// Whether it is a bias, which has no weight decay by default.
    pub fn is_bias(&self) -> bool {
        self.name.rsplit_once('.').is_some_and(|(_, part)| part == "bias")
    }
}
