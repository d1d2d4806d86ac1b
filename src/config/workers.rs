//! The number of threads of a stage.

use std::num::NonZeroUsize;

use super::errors::Errors;
use super::node::{Node, Tree};
use super::value::{Value, mismatch};

/// `"auto"` or a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workers {
    /// As many as help: from one to one per core, as far as memory allows. The number changes during the run.
    Auto,
    /// A fixed number.
    Fixed(NonZeroUsize),
}

impl Value for Workers {
    fn read(node: &Node, key: &str, errors: &mut Errors) -> Option<Self> {
        match &node.value {
            Tree::String(word) if word == "auto" => Some(Workers::Auto),
            Tree::Integer(number) => usize::try_from(*number)
                .ok()
                .and_then(NonZeroUsize::new)
                .map(Workers::Fixed),
            _ => None,
        }
        .or_else(|| mismatch(node, key, "\"auto\" or a whole number, 1 or more", errors))
    }
    fn write(&self) -> String {
        match self {
            Workers::Auto => "\"auto\"".to_string(),
            Workers::Fixed(count) => count.to_string(),
        }
    }
}
