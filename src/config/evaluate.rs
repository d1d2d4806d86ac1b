//! `[evaluate]`: when and how the validation set is evaluated.

use std::num::NonZeroUsize;

use super::errors::Errors;
use super::node::{Node, Tree};
use super::range::EPOCHS;
use super::value::{Value, mismatch, table};

/// How many views of an image are averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crops {
    /// The centre crop.
    One,
    /// Four corners and the centre, each with its reflection (paper, section 4.1).
    Ten,
}

impl Crops {
    /// The number of views.
    pub fn count(self) -> u32 {
        match self {
            Crops::One => 1,
            Crops::Ten => 10,
        }
    }
}

impl Value for Crops {
    fn read(node: &Node, key: &str, errors: &mut Errors) -> Option<Self> {
        match node.value {
            Tree::Integer(1) => Some(Crops::One),
            Tree::Integer(10) => Some(Crops::Ten),
            _ => mismatch(node, key, "1 or 10", errors),
        }
    }
    fn write(&self) -> String {
        self.count().to_string()
    }
}

table! {
    /// `[evaluate]`.
    Evaluate {
        /// Epochs between two evaluations; there is always one at the end.
        every_epochs: NonZeroUsize = NonZeroUsize::MIN => EPOCHS,
        /// Views of each image.
        crops: Crops = Crops::One,
    }
}
