//! On which scale a network wants its pixels.

use crate::config::model::{Init, Layer};

/// How far the pixels of photographs are from their mean, on 0..255: 60 to 75 in ImageNet's channels. One number for all
/// channels keeps colours as they are.
const STD: [f32; 3] = [70.0; 3];

/// What a preset makes of keys of other tables that are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Defaults {
    /// `augment.std`.
    pub std: Option<[f32; 3]>,
    /// `model.bias`.
    pub bias: Option<f32>,
}

impl Defaults {
    /// Those of a network. The paper's N(0, 0.01) is meant for pixels on 0..255 and needs none; the biases of 1 that belong to it
    /// are too much where weights are drawn by their fan-in: the loss of the first steps rises to several times what it began with.
    pub(super) fn of(layers: &[Layer]) -> Self {
        let is_scaled = wants_unit_variance(layers);
        let has_biases = layers.iter().any(|layer| match layer {
            Layer::Convolution(conv) => conv.bias != 0.0,
            Layer::FullyConnected(fc) => fc.bias != 0.0,
            _ => false,
        });
        Self {
            std: is_scaled.then_some(STD),
            bias: (is_scaled && has_biases).then_some(0.0),
        }
    }
}

/// Whether the first convolution, of three channels, has weights so small that its outputs are near zero unless pixels keep their
/// range of 0..255, as the paper's N(0, 0.01) has.
pub fn wants_whole_range(layers: &[Layer]) -> bool {
    let first = layers.iter().find_map(|layer| match layer {
        Layer::Convolution(conv) => Some(conv),
        _ => None,
    });
    first.is_some_and(|conv| match conv.init {
        Init::Gaussian(sigma) => sigma * 3f32.sqrt() * (conv.kernel as f32) < 0.5,
        Init::He | Init::FanIn => false,
    })
}

/// Whether the first weights are drawn by their fan-in, so that what they give is as large as what they are given: inputs of
/// about unit variance are wanted, and with pixels on 0..255 the first steps are some 70 times too long.
pub fn wants_unit_variance(layers: &[Layer]) -> bool {
    let first = layers.iter().find_map(|layer| match layer {
        Layer::Convolution(conv) => Some(conv.init),
        Layer::FullyConnected(fc) => Some(fc.init),
        _ => None,
    });
    matches!(first, Some(Init::He | Init::FanIn))
}
