//! `[augment]`: what is done to an image before the network sees it (paper, section 4.1).

use std::num::NonZeroUsize;

use super::errors::Errors;
use super::node::{Node, Tree};
use super::value::{Value, choice, mismatch, table};
use super::workers::Workers;

choice! {
    /// What the random multipliers of the principal components are scaled by.
    PcaScale {
        /// The eigenvalues, as the paper's text says.
        Eigenvalue = "eigenvalue",
        /// Their square roots, as the 2012 code did: 2 to 17 times stronger.
        Stddev = "stddev",
    }
}

table! {
    /// `pca = { sigma, scale }`: colour noise along the principal components of the training set's RGB values.
    Pca {
        /// Standard deviation of the multipliers (paper: 0.1).
        sigma: f32 = 0.1,
        /// What scales them.
        scale: PcaScale = PcaScale::Eigenvalue,
    }
}

/// What is subtracted from the pixels, in 0..255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mean {
    /// `"image"`: the mean image of the training set, at the place of the crop (paper). Needs `decode.square`.
    Image,
    /// `"channel"`: one number a channel, from the training set.
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
        workers: Workers = Workers::Auto,
        /// Decoded crops that may wait here.
        queue: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15),
        /// Side of the square crop that the network sees.
        crop: NonZeroUsize = NonZeroUsize::MIN.saturating_add(223),
        /// Probability of a horizontal reflection while training.
        flip: f32 = 0.5,
        /// Colour noise while training; absent: none.
        pca: Option<Pca> = None,
        /// What is subtracted.
        mean: Mean = Mean::Channel,
        /// What the differences are divided by, per channel; absent: nothing, pixels stay on the scale 0..255.
        std: Option<[f32; 3]> = None,
    }
}
