//! The segments of a network, and what they keep.
//!
//! A *segment* begins with a layer that has parameters and extends to the next such layer. All its operations are applied to a
//! few images before the next few images follow, so that the values between them stay in the cache. Only the values that the
//! backward pass reads, and the segment's last value, are kept for the whole batch. Backward, the gradients between a segment's
//! operations exist only in a worker's scratch.

use std::ops::Range;

use crate::model::columns::Reshard;
use crate::ops::conv::cpu::Kernel;
use crate::ops::dropout::Units;
use crate::ops::map::Map;
use crate::ops::{linear, lrn, pool};

/// The most values of a segment besides its input. If there would be more, a new segment begins.
pub const VALUES: usize = 6;

/// The most max poolings of a segment.
pub const POOLS: usize = 2;

/// What a segment begins with.
#[derive(Clone, Debug, PartialEq)]
pub enum Head {
    /// No parameters: the segment begins with operations.
    None,
    /// Convolution, from value 0 to value 1.
    Convolution(Box<Kernel>),
    /// Fully connected, from value 0 to value 1, for the whole batch at once.
    FullyConnected(linear::cpu::Kernel),
    /// An exchange with other devices, from value 0 to value 1, for the whole batch at once.
    Reshard(Reshard),
}

/// What an operation without parameters does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Local response normalisation.
    Lrn(lrn::cpu::Kernel),
    /// Max pooling, and the number of the segment's buffer for its argmax.
    Pool(pool::cpu::Kernel, usize),
    /// max(0, x).
    Relu {
        /// Whether the head's forward pass includes it.
        done: bool,
    },
    /// tanh(x).
    Tanh,
    /// Dropout with probability `p`. `number` is part of the key of its masks.
    Dropout {
        /// Probability of zero.
        p: f32,
        /// How many dropout layers come before.
        number: u32,
        /// Which units of the layer this device has.
        units: Units,
    },
    /// Converts between the planar and the blocked order.
    Reorder,
}

/// One operation of a segment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FusedOp {
    /// The layer that it belongs to.
    pub layer: usize,
    /// What it does.
    pub action: Action,
    /// The number of the value that it reads.
    pub from: usize,
    /// The number of the value that it writes: the same number if it works in place.
    pub to: usize,
}

/// A value between two operations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// Its layout for one image.
    pub map: Map,
    /// Whether it is kept for the whole batch.
    pub kept: bool,
}

/// A segment of the network.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// What it begins with.
    pub head: Head,
    /// The layer of the head, or the first of its operations.
    pub layer: usize,
    /// The number of the head's weights among the parameters; the biases follow.
    pub parameter: usize,
    /// The values. The first is the last one of the previous segment.
    pub values: Vec<Value>,
    /// Operations behind the head.
    pub ops: Vec<FusedOp>,
    /// Elements per image of the buffers for the argmax of windows.
    pub argmax: Vec<usize>,
}

impl Segment {
    /// The most images that are processed together.
    pub fn images(&self) -> usize {
        match &self.head {
            Head::Convolution(kernel) => kernel.images(),
            _ => 1,
        }
    }

    /// The same for the forward pass.
    pub fn images_forward(&self) -> usize {
        match &self.head {
            Head::Convolution(kernel) => kernel.images_forward(),
            _ => 1,
        }
    }

    /// Whether the head has parameters.
    pub fn is_trained(&self) -> bool {
        matches!(self.head, Head::Convolution(_) | Head::FullyConnected(_))
    }

    /// Floats that all devices together exchange per image.
    pub fn shown(&self) -> usize {
        match &self.head {
            Head::Reshard(reshard) => reshard.placement.count * reshard.shown().len(),
            _ => 0,
        }
    }

    /// Whether the head also does the `ReLU` that follows it.
    pub fn rectify(&self) -> bool {
        self.ops.iter().any(|op| op.action == Action::Relu { done: true })
    }

    /// The layers that the head's forward pass covers.
    pub fn head_layers(&self) -> Range<usize> {
        self.layer..self.layer + if self.rectify() { 2 } else { 1 }
    }

    /// Floats per image of the input.
    pub fn input(&self) -> usize {
        self.values[0].map.len()
    }

    /// Floats per image of the last value.
    pub fn output(&self) -> usize {
        self.values[self.values.len() - 1].map.len()
    }

    /// Floats per image of the largest value whose gradient passes through the operations. Includes the input if there is no
    /// head.
    pub fn largest(&self) -> usize {
        let first = usize::from(self.head != Head::None);
        let values = self.values[first..].iter();
        values.map(|value| value.map.len()).max().unwrap_or(0)
    }

    /// Floats per image of all values that are not kept.
    fn passing(&self) -> usize {
        self.values[1..]
            .iter()
            .filter(|value| !value.kept)
            .map(|value| value.map.len())
            .sum()
    }

    /// Floats of scratch for the operations themselves.
    fn workspace(&self) -> usize {
        let head = match &self.head {
            Head::Convolution(kernel) => kernel.scratch(),
            _ => 0,
        };
        let ops = self.ops.iter().map(|op| match op.action {
            Action::Lrn(lrn) => lrn.scratch(),
            _ => 0,
        });
        ops.fold(head, usize::max)
    }

    /// Floats of scratch for one worker: forward the values that are not kept, backward two gradients; plus the operations' own.
    pub fn scratch(&self) -> usize {
        let moves = self.ops.iter().any(|op| op.from != op.to);
        let gradients = if moves { 2 * self.largest() } else { 0 };
        self.images() * self.passing().max(gradients) + self.workspace()
    }
}
