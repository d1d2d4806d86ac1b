//! `[augment]`: changes to an image before the network sees it (paper, section 4.1).

use std::num::NonZeroUsize;

use super::errors::Errors;
use super::node::{Node, Tree};
use super::range::{LARGEST_SIDE, QUEUE, Range, SIDE, WORKERS};
use super::value::{Value, choice, mismatch, table};
use super::workers::Workers;

choice! {
    /// The scale of the random multipliers of the principal components.
    PcaScale {
        /// The eigenvalues, as the paper's text says.
        Eigenvalue = "eigenvalue",
        /// Their square roots, as in the 2012 code: 2 to 17 times stronger.
        Stddev = "stddev",
    }
}

table! {
    /// `pca = { sigma, scale }`: colour noise along the principal components of the training set's RGB values.
    Pca {
        /// Standard deviation of the multipliers (paper: 0.1).
        sigma: f32 = 0.1 => Range::between(0.0, 1000.0),
        /// The scale of the multipliers.
        scale: PcaScale = PcaScale::Eigenvalue,
    }
}

table! {
    /// `random_resized_crop = { area, ratio }`: training crops of random size and shape, scaled to `crop`.
    RandomResizedCrop {
        /// The smallest and largest share of the frame's area.
        area: [f32; 2] = [0.08, 1.0] => Range::between(0.0, 1.0),
        /// The smallest and largest ratio of width to height.
        ratio: [f32; 2] = [0.75, 1.333_333_4] => Range::between(0.001, 1000.0),
    }
}

table! {
    /// `jitter = { brightness, contrast, saturation }`: each quantity is multiplied by a factor from 1 − value to 1 + value.
    Jitter {
        /// Multiplies all values.
        brightness: f32 = 0.0 => Range::between(0.0, 1.0),
        /// Multiplies the distance from the crop's mean grey.
        contrast: f32 = 0.0 => Range::between(0.0, 1.0),
        /// Multiplies the distance from a pixel's own grey.
        saturation: f32 = 0.0 => Range::between(0.0, 1.0),
    }
}

/// The mean subtracted from the pixels, in 0..255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mean {
    /// `"image"`: the mean image of the training set, at the position of the crop (paper). Needs `decode.square`.
    Image,
    /// `"channel"`: one number per channel, from the training set.
    Channel,
    /// `[r, g, b]`: these numbers.
    Fixed([f32; 3]),
}

impl Value for Mean {
    fn read(node: &Node, key: &str, errors: &mut Errors) -> Option<Self> {
        match &node.value {
            Tree::String(word) if word == "image" => Some(Mean::Image),
            Tree::String(word) if word == "channel" => Some(Mean::Channel),
            Tree::Array(_) => Value::read(node, key, errors).map(Mean::Fixed),
            _ => mismatch(node, key, "\"image\", \"channel\" or [r, g, b]", errors),
        }
    }
    fn write(&self) -> String {
        match self {
            Mean::Image => "\"image\"".to_string(),
            Mean::Channel => "\"channel\"".to_string(),
            Mean::Fixed(rgb) => rgb.write(),
        }
    }
}

table! {
    /// `[augment]`.
    Augment {
        /// Threads.
        workers: Workers = Workers::Auto => WORKERS,
        /// Capacity of the queue of decoded crops.
        queue: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15) => QUEUE,
        /// Side of the square crop that the network sees.
        crop: NonZeroUsize = NonZeroUsize::MIN.saturating_add(223) => SIDE,
        /// Probability of a horizontal reflection during training.
        flip: f32 = 0.5 => Range::between(0.0, 1.0),
        /// Training crops of random size and shape; absent: `crop` pixels of the frame, without scaling.
        random_resized_crop: Option<RandomResizedCrop> = None,
        /// Random brightness, contrast and saturation during training; absent: none.
        jitter: Option<Jitter> = None,
        /// Side of a square that is blotted out during training; 0: none.
        cutout: u32 = 0 => Range::whole(0, LARGEST_SIDE),
        /// Colour noise during training; absent: none.
        pca: Option<Pca> = None,
        /// The mean that is subtracted.
        mean: Mean = Mean::Channel => Range::between(-100_000.0, 100_000.0),
        /// The divisor of the differences, per channel; absent: none, and pixels stay on the scale 0..255.
        std: Option<[f32; 3]> = None => Range::between(0.000_01, 100_000.0),
    }
}

impl Augment {
    /// Checks the rules within and between keys.
    pub(super) fn check(&self, complain: &mut impl FnMut(&str, String)) {
        if let Some(crop) = &self.random_resized_crop {
            let [low, high] = crop.area;
            if !(0.0 < low && low <= high) {
                let rule = "must be [smallest, largest], shares of the image's area with 0 < smallest <= largest <= 1"
                    .to_string();
                complain("augment.random_resized_crop.area", rule);
            }
            let [low, high] = crop.ratio;
            if low > high {
                let rule =
                    "must be [smallest, largest], ratios of width to height with smallest <= largest".to_string();
                complain("augment.random_resized_crop.ratio", rule);
            }
            if self.mean == Mean::Image {
                let rule =
                    "\"image\" does not work with random_resized_crop, because crops change size; use \"channel\""
                        .to_string();
                complain("augment.mean", rule);
            }
        }
        if self.cutout as usize > self.crop.get() {
            complain(
                "augment.cutout",
                format!("{} is larger than augment.crop, which is {}", self.cutout, self.crop),
            );
        }
    }
}
