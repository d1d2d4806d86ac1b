//! The stretches of a network, and what is kept of them.
//!
//! A *stretch* begins with a layer that has parameters and goes on to the next such layer. Its operations are done image by
//! image (some at a time), one after the other, so that what passes between them stays in the cache: only what the backward
//! pass reads, and the stretch's last value, is kept for the whole batch. Backward, the gradients between a stretch's
//! operations live in a worker's scratch alone.

use std::ops::Range;

use crate::ops::conv::cpu::Kernel;
use crate::ops::dropout::Units;
use crate::ops::map::Map;
use crate::ops::{linear, lrn, pool};

use super::columns::Seam;

/// Values of a stretch beside its input, at most; where there would be more a new stretch begins.
pub const VALUES: usize = 6;

/// Max poolings of a stretch, at most.
pub const POOLS: usize = 2;

/// What a stretch begins with.
#[derive(Clone, Debug, PartialEq)]
pub enum Head {
    /// No parameters: the stretch begins with operations.
    None,
    /// Convolution, from value 0 to value 1.
    Convolution(Box<Kernel>),
    /// Fully connected, from value 0 to value 1, over the whole batch at once.
    FullyConnected(linear::Geometry),
    /// From value 0 to value 1 by way of other devices, for the whole batch at once.
    Seam(Seam),
}

/// What an operation without parameters does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Local response normalisation.
    Lrn(lrn::Geometry),
    /// Max pooling, and the number of the stretch's buffer for the places of its maxima.
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

/// One operation of a stretch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Act {
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

/// A stretch of the network.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch {
    /// What it begins with.
    pub head: Head,
    /// The layer of the head, or the first of its operations.
    pub layer: usize,
    /// The number of the head's weights among the parameters; the biases follow.
    pub parameter: usize,
    /// Values: the first is the last of the stretch before.
    pub values: Vec<Value>,
    /// Operations after the head.
    pub acts: Vec<Act>,
    /// Elements per image of the buffers for places of maxima.
    pub places: Vec<usize>,
}

impl Stretch {
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
            Head::Seam(seam) => seam.rank.of * seam.shown().len(),
            _ => 0,
        }
    }

    /// Whether the head also does the `ReLU` that follows it.
    pub fn rectify(&self) -> bool {
        self.acts.iter().any(|act| act.action == Action::Relu { done: true })
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
        let acts = self.acts.iter().map(|act| match act.action {
            Action::Lrn(lrn) => lrn.scratch(),
            _ => 0,
        });
        acts.fold(head, usize::max)
    }

    /// Floats of scratch of one worker: forward the passing values, backward two gradients; and the operations' own.
    pub fn scratch(&self) -> usize {
        let moves = self.acts.iter().any(|act| act.from != act.to);
        let gradients = if moves { 2 * self.largest() } else { 0 };
        self.images() * self.passing().max(gradients) + self.workspace()
    }
}
