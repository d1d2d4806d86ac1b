//! Ranges of numbers.

use std::fmt;

use super::errors::Errors;
use super::node::{Node, Tree};

/// The largest side of images, frames and crops. A frame of that side takes 0.8 GB.
pub const LARGEST_SIDE: u32 = 16_384;

/// The most epochs in any key.
pub const MAX_EPOCHS: u32 = 1_000_000;

/// Places in a queue. Its memory is allocated at once.
pub const QUEUE: Range = Range::whole(1, 65_536);

/// Threads of a stage or device.
pub const WORKERS: Range = Range::whole(1, 1024);

/// The side of an image.
pub const SIDE: Range = Range::whole(1, LARGEST_SIDE);

/// Epochs between two events.
pub const EPOCHS: Range = Range::whole(1, MAX_EPOCHS);

/// The smallest and largest value of a number, and whether it is whole. A range excludes values that make no sense, and
/// values whose products would overflow their type. Whether the sizes fit into memory is checked elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    least: f64,
    most: f64,
    has_least: bool,
    has_most: bool,
    is_whole: bool,
}

impl Range {
    /// Any number that its type can hold.
    pub const ANY: Self = Self::between(f64::NEG_INFINITY, f64::INFINITY);

    /// A whole number from `least` to `most`.
    pub const fn whole(least: u32, most: u32) -> Self {
        Self {
            is_whole: true,
            ..Self::between(least as f64, most as f64)
        }
    }

    /// A number from `least` to `most`.
    pub const fn between(least: f64, most: f64) -> Self {
        Self {
            least,
            most,
            has_least: true,
            has_most: true,
            is_whole: false,
        }
    }

    /// A number from `least` to just below `most`.
    pub const fn below(least: f64, most: f64) -> Self {
        Self {
            has_most: false,
            ..Self::between(least, most)
        }
    }

    /// A number above `least` and below `most`.
    pub const fn inside(least: f64, most: f64) -> Self {
        Self {
            has_least: false,
            ..Self::below(least, most)
        }
    }

    /// False if `node` is a number outside of the range, which is noted as an error. In a list every item is checked.
    pub fn admits(&self, node: &Node, key: &str, errors: &mut Errors) -> bool {
        if self.least == f64::NEG_INFINITY {
            return true;
        }
        let is_inside = match &node.value {
            // Every item is checked before returning, so that all errors are noted.
            Tree::Array(items) => {
                let items = items.iter().enumerate();
                let outside = items.filter(|(i, item)| !self.admits(item, &format!("{key}[{i}]"), errors));
                return outside.count() == 0;
            }
            Tree::Integer(number) => self.holds(*number as f64),
            // Compared as it is stored: a number just below 1 may become 1, also in the configuration that a run writes.
            Tree::Float(number) => self.single().holds(f64::from(*number as f32)),
            Tree::Beyond(_) => false,
            _ => true,
        };
        if !is_inside {
            node.unexpected(key, &self.to_string(), errors);
        }
        is_inside
    }

    /// The same range with its ends rounded to 32 bits.
    fn single(self) -> Self {
        Self {
            least: f64::from(self.least as f32),
            most: f64::from(self.most as f32),
            ..self
        }
    }

    fn holds(&self, number: f64) -> bool {
        let is_end = (self.has_least && number == self.least) || (self.has_most && number == self.most);
        is_end || (self.least < number && number < self.most)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { least, most, .. } = self;
        let kind = if self.is_whole { "a whole number" } else { "a number" };
        match (self.has_least, self.has_most) {
            (_, true) => write!(f, "{kind} from {least} to {most}"),
            (true, false) => write!(f, "{kind} of at least {least} and below {most}"),
            (false, false) => write!(f, "{kind} above {least} and below {most}"),
        }
    }
}
