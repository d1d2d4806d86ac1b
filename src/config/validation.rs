//! `data.val`: the images for validation.

use super::errors::Errors;
use super::node::{Node, Tree};
use super::range::Range;
use super::value::{TableReader, Value, mismatch};

/// Where the validation set comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Validation {
    /// A separate data set.
    Location(String),
    /// `{ fraction = 0.1 }`: this part of each class of the training set, chosen by `run.seed` and excluded from training.
    Fraction(f32),
}

impl Validation {
    /// The location, if the set is a separate one.
    pub fn location(&self) -> Option<&str> {
        match self {
            Self::Location(location) => Some(location),
            Self::Fraction(_) => None,
        }
    }
}

impl Value for Validation {
    fn read(node: &Node, key: &str, errors: &mut Errors) -> Option<Self> {
        match &node.value {
            Tree::String(location) => Some(Self::Location(location.clone())),
            Tree::Table(_) => {
                let mut table = TableReader::new(node, key, errors)?;
                let fraction = table.required("fraction", Range::inside(0.0, 1.0));
                table.finish();
                fraction.map(Self::Fraction)
            }
            _ => mismatch(
                node,
                key,
                "a data set's location, or { fraction = 0.1 } of the training set",
                errors,
            ),
        }
    }

    fn write(&self) -> String {
        match self {
            Self::Location(location) => location.write(),
            Self::Fraction(fraction) => format!("{{ fraction = {} }}", fraction.write()),
        }
    }
}
