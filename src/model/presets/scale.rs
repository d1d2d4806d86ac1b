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
}

impl Defaults {
    /// Those of a network. The paper's N(0, 0.01) is meant for pixels on 0..255 and needs none.
    pub(super) fn of(layers: &[Layer]) -> Self {
        Self {
            std: wants_unit_variance(layers).then_some(STD),
        }
    }
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
