//! Crops of random size and shape.

use crate::rng::Philox;
use crate::stages::frame::{Frame, Region};

/// A crop of random size and shape, scaled to what the network sees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResizedCrop {
    /// Minimum and maximum share of the frame's area.
    pub area: [f32; 2],
    /// Minimum and maximum of width / height.
    pub ratio: [f32; 2],
}

impl ResizedCrop {
    /// Draws an area and a shape up to ten times until they fit, as torchvision's `RandomResizedCrop` does. Failing that, takes
    /// the largest centred crop of an allowed shape.
    pub(super) fn draw(&self, random: &mut Philox, frame: Frame) -> Region {
        let (width, height) = (f64::from(frame.width), f64::from(frame.height));
        let between = |[low, high]: [f64; 2], share: f32| low + (high - low) * f64::from(share);
        let logs = self.ratio.map(|ratio| libm::log(f64::from(ratio)));
        for _ in 0..10 {
            let area = width * height * between(self.area.map(f64::from), random.uniform());
            let ratio = libm::exp(between(logs, random.uniform()));
            let w = libm::round((area * ratio).sqrt()) as u32;
            let h = libm::round((area / ratio).sqrt()) as u32;
            if (1..=frame.width).contains(&w) && (1..=frame.height).contains(&h) {
                let (x, y) = (random.below(frame.width - w + 1), random.below(frame.height - h + 1));
                return Region {
                    x,
                    y,
                    width: w,
                    height: h,
                };
            }
        }
        let [low, high] = self.ratio.map(f64::from);
        let ratio = (width / height).clamp(low, high);
        let w = (libm::round(height * ratio) as u32).clamp(1, frame.width);
        let h = (libm::round(width / ratio) as u32).clamp(1, frame.height);
        Region {
            x: (frame.width - w) / 2,
            y: (frame.height - h) / 2,
            width: w,
            height: h,
        }
    }
}
