//! The segments of a network, and what is kept of them.
//!
//! A *segment* begins with a layer that has parameters and goes on to the next such layer. Its operations are done image by
//! image (some at a time), one after the other, so that what passes between them stays in the cache: only what the backward
//! pass reads, and the segment's last value, is kept for the whole batch. Backward, the gradients between a segment's
//! operations live in a worker's scratch alone.

use std::ops::Range;

use crate::ops::conv::cpu::Kernel;
use crate::ops::dropout::Units;
use crate::ops::map::Map;
use crate::ops::{linear, lrn, pool};

use super::columns::Reshard;

/// Values of a segment beside its input, at most; where there would be more a new segment begins.
pub const VALUES: usize = 6;

/// Max poolings of a segment, at most.
pub const POOLS: usize = 2;

/// What a segment begins with.
#[derive(Clone, Debug, PartialEq)]
pub enum Head {
    /// No parameters: the segment begins with operations.
    None,
    /// Convolution, from value 0 to value 1.
    Convolution(Box<Kernel>),
    /// Fully connected, from value 0 to value 1, over the whole batch at once.
    FullyConnected(linear::Geometry),
    /// From value 0 to value 1 by way of other devices, for the whole batch at once.
    Reshard(Reshard),
}

/// What an operation without parameters does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Local response normalisation.
    Lrn(lrn::Geometry),
    /// Max pooling, and the number of the segment's buffer for the argmax of its maxima.
    Pool(pool::Geometry, usize),
    /// max(0, x). `done`: the head does it on its way forward.
    Relu {
        /// Whether its forward pass is the head's.
        done: bool,
    },
    /// tanh(x).
    Tanh,
    /// Dropout of probability `p`, the `number`-th of the network: its masks go by that number.
    Dropout {
        /// Probability of zero.
        p: f32,
        /// How many dropout layers come before.
        number: u32,
        /// Which units of the layer are here.
        units: Units,
    },
    /// The same elements in the other order.
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
    /// The number of the value that it makes: the same where it works in place.
    pub to: usize,
}

/// What is between two operations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// One image of it.
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
    /// Values: the first is the last of the segment before.
    pub values: Vec<Value>,
    /// Operations after the head.
    pub ops: Vec<FusedOp>,
    /// Elements per image of the buffers for the argmax of windows.
    pub argmax: Vec<usize>,
}

impl Segment {
    /// Images that are worked on together, at most.
    pub fn images(&self) -> usize {
        match &self.head {
            Head::Convolution(kernel) => kernel.images(),
            _ => 1,
        }
    }

    /// The same on the way forward.
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

    /// Floats that the devices show each other of one image, all together.
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

    /// The layers whose forward pass is the head's.
    pub fn head_layers(&self) -> Range<usize> {
        self.layer..self.layer + if self.rectify() { 2 } else { 1 }
    }

    /// Floats of one image of the input.
    pub fn input(&self) -> usize {
        self.values[0].map.len()
    }

    /// Floats of one image of the last value.
    pub fn output(&self) -> usize {
        self.values[self.values.len() - 1].map.len()
    }

    /// Floats of one image's largest value whose gradient passes through the operations: also the input's, where there is no
    /// head to take it on.
    pub fn largest(&self) -> usize {
        let first = usize::from(self.head != Head::None);
        let values = self.values[first..].iter();
        values.map(|value| value.map.len()).max().unwrap_or(0)
    }

    /// Floats of one image of the values that only pass.
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

    /// Floats of scratch of one worker: forward the passing values, backward two gradients; and the operations' own.
    pub fn scratch(&self) -> usize {
        let moves = self.ops.iter().any(|op| op.from != op.to);
        let gradients = if moves { 2 * self.largest() } else { 0 };
        self.images() * self.passing().max(gradients) + self.workspace()
    }
}
