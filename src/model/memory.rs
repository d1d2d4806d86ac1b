//! The memory of a device, by purpose.

use std::iter::Sum;

use crate::memory::Bytes;

/// What a device's memory is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Weights and biases.
    pub parameters: Bytes,
    /// Momentum.
    pub momentum: Bytes,
    /// Gradients of weights and biases, and the partial sums that they are made of.
    pub parameter_gradients: Bytes,
    /// What is kept of a forward pass: input, values, argmax of pooling windows, probabilities.
    pub activations: Bytes,
    /// Gradients that pass between layers.
    pub activation_gradients: Bytes,
    /// Maps that devices exchange.
    pub exchange: Bytes,
    /// What operations use while they run, such as weights in the order in which they are read.
    pub scratch: Bytes,
}

impl Sum for Memory {
    fn sum<I: Iterator<Item = Self>>(each: I) -> Self {
        each.fold(Self::default(), |a, b| Self {
            parameters: a.parameters + b.parameters,
            momentum: a.momentum + b.momentum,
            parameter_gradients: a.parameter_gradients + b.parameter_gradients,
            activations: a.activations + b.activations,
            activation_gradients: a.activation_gradients + b.activation_gradients,
            exchange: a.exchange + b.exchange,
            scratch: a.scratch + b.scratch,
        })
    }
}

impl Memory {
    /// All of it.
    pub fn total(&self) -> Bytes {
        self.parameters
            + self.momentum
            + self.parameter_gradients
            + self.activations
            + self.activation_gradients
            + self.exchange
            + self.scratch
    }
}
