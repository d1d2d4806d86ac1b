//! Random brightness, contrast and saturation: three factors, applied as one affine map of colours.

use crate::stages::rule::Jitter;

/// Weights of R, G and B in a grey value (ITU-R BT.601, as in JPEG).
pub(super) const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

impl Jitter {
    /// Brightness, then contrast, then saturation, as one affine map of (R, G, B, 1) for a crop with this mean grey.
    ///
    /// With b, c, s: x₁ = b·x; x₂ = c·x₁ + (1 − c)·b·mean; x₃ = s·x₂ + (1 − s)·grey(x₂). The grey weights add up to 1, so
    /// the last step leaves the constant as it is.
    pub(super) fn mix(&self, mean_grey: f32) -> [[f32; 4]; 3] {
        let Self {
            brightness,
            contrast,
            saturation,
        } = *self;
        let strength = brightness * contrast;
        let constant = (1.0 - contrast) * brightness * mean_grey;
        [0, 1, 2].map(|channel| {
            let part = |from: usize| {
                let own = if from == channel { saturation } else { 0.0 };
                strength * (own + (1.0 - saturation) * LUMA[from])
            };
            [part(0), part(1), part(2), constant]
        })
    }
}
