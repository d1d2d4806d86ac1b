//! The pixel scale that a network expects.

use crate::config::model::{Init, Layer};

/// The standard deviation of the pixels of photographs in 0..255: 60 to 75 in ImageNet's channels. One number for all channels
/// keeps colours as they are.
const STD: [f32; 3] = [70.0; 3];

/// A preset's defaults for keys of other tables.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Defaults {
    /// `augment.std`.
    pub std: Option<[f32; 3]>,
    /// `model.bias`.
    pub bias: Option<f32>,
}

impl Defaults {
    /// The defaults for a network. The paper's N(0, 0.01) is meant for pixels in 0..255 and needs none. The paper's biases of 1
    /// are too large for weights that are scaled by fan-in: in the first steps the loss would rise to several times its initial
    /// value.
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

/// Whether the initial weights are scaled by fan-in. Inputs should then have about unit variance; with pixels in 0..255 the
/// first steps are about 70 times too large.
pub fn wants_unit_variance(layers: &[Layer]) -> bool {
    let first = layers.iter().find_map(|layer| match layer {
        Layer::Convolution(conv) => Some(conv.init),
        Layer::FullyConnected(fc) => Some(fc.init),
        _ => None,
    });
    matches!(first, Some(Init::He | Init::FanIn))
}
