//! Networks by name. Each file says where its numbers come from.

mod alexnet;
mod build;
mod one_tower;
mod scale;
mod small;

use crate::config::model::{Init, Layer};

pub use scale::{Defaults, wants_unit_variance, wants_whole_range};

/// The names of all presets.
pub const NAMES: [&str; 6] = [
    "alexnet",
    "alexnet-one-tower",
    "alexnet-medium",
    "alexnet-small",
    "cifar10-quick",
    "cifar10-quick-tanh",
];

/// What a preset is usually trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usual {
    /// Side of the images.
    pub side: usize,
    /// Classes of the data.
    pub classes: usize,
}

/// What the preset called `name` is usually trained on; `None` if the name is unknown.
pub fn usual(name: &str) -> Option<Usual> {
    let (side, classes) = match name {
        "alexnet" | "alexnet-one-tower" => (224, 1000),
        "alexnet-medium" => (64, 200),
        "alexnet-small" => (28, 10),
        "cifar10-quick" | "cifar10-quick-tanh" => (32, 10),
        _ => return None,
    };
    Some(Usual { side, classes })
}

/// What may be changed in a preset without writing its layers out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Overrides {
    /// Probability p of every dropout layer; 0 removes them.
    pub dropout: Option<f32>,
    /// Initial weights of every layer.
    pub init: Option<Init>,
    /// Initial bias of every layer with parameters but the last.
    pub hidden_bias: Option<f32>,
}

/// The layers of the preset called `name`; `None` if the name is unknown.
pub fn layers(name: &str, overrides: Overrides) -> Option<Vec<Layer>> {
    let mut layers = match name {
        "alexnet" => alexnet::layers(),
        "alexnet-one-tower" => one_tower::layers(),
        "alexnet-medium" => small::medium(),
        "alexnet-small" => small::small(),
        "cifar10-quick" => small::cifar10_quick(&Layer::Relu),
        "cifar10-quick-tanh" => small::cifar10_quick(&Layer::Tanh),
        _ => return None,
    };
    overrides.apply(&mut layers);
    Some(layers)
}

/// The defaults of the preset called `name` for keys of other tables; `None` if the name is unknown.
pub fn defaults(name: &str, overrides: Overrides) -> Option<Defaults> {
    Some(Defaults::of(&layers(name, overrides)?))
}

impl Overrides {
    /// Changes every layer that an override concerns.
    pub fn apply(&self, layers: &mut Vec<Layer>) {
        if self.dropout == Some(0.0) {
            layers.retain(|layer| !matches!(layer, Layer::Dropout(_)));
        }
        let last = layers.len().saturating_sub(1);
        for (index, layer) in layers.iter_mut().enumerate() {
            let (init, bias) = match layer {
                Layer::Convolution(conv) => (&mut conv.init, &mut conv.bias),
                Layer::FullyConnected(fc) => (&mut fc.init, &mut fc.bias),
                Layer::Dropout(dropout) => {
                    dropout.p = self.dropout.unwrap_or(dropout.p);
                    continue;
                }
                _ => continue,
            };
            *init = self.init.unwrap_or(*init);
            if index < last {
                *bias = self.hidden_bias.unwrap_or(*bias);
            }
        }
    }
}
