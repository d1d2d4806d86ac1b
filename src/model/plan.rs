//! Where activations and gradients live, and how much memory that takes: decided before any of it is made.

use std::iter::Sum;

use super::share::Share;
use super::{Operation, Rank, Spec};
use crate::ops::Chunks;

/// The buffers that a layer reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of the buffer that holds its input.
    pub from: usize,
    /// Number of the buffer that holds its output: the same where it works in place.
    pub to: usize,
    /// Whether a convolution or fully connected layer also does the `ReLU` that follows it.
    pub rectify: bool,
    /// Whether it is such a `ReLU`, so that its forward pass is already done.
    pub done: bool,
    /// Elements per image of the buffer for the places of maxima (max pooling only).
    pub maxima: usize,
    /// Number of its weights among the parameters (the biases follow), or of the next layer's that has any.
    pub parameter: usize,
    /// How many dropout layers come before: the layer's number in the key of its masks.
    pub dropout: u32,
}

/// The buffers of a network for one batch size.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How the batch is cut.
    pub chunks: Chunks,
    /// Which device it is for.
    pub rank: Rank,
    /// One for each layer.
    pub places: Vec<Place>,
    /// Elements per image of each activation buffer; the first is the input.
    pub activations: Vec<usize>,
    /// Elements per image of each of the two gradient buffers.
    pub gradient: usize,
    /// Floats of scratch for each worker.
    pub scratch: usize,
    /// Floats of the partial sums of weight gradients, for all chunks.
    pub partial: usize,
    /// The first layer with parameters: no gradient is needed below it.
    pub first: usize,
}

impl Plan {
    /// The plan for `spec` with batches of `batch` images.
    pub fn new(spec: &Spec, batch: usize) -> Self {
        Self::on(Rank::ALONE, spec, batch)
    }

    /// The plan of a device that has its part of the batches, or of the network: that is `spec` then.
    pub fn on(rank: Rank, spec: &Spec, batch: usize) -> Self {
        let chunks = rank.chunks(batch);
        let mut plan = Self {
            places: Vec::with_capacity(spec.layers.len()),
            activations: vec![spec.input.len()],
            gradient: 0,
            scratch: 0,
            partial: 0,
            first: spec.layers.iter().position(|layer| layer.start.is_some()).unwrap_or(0),
            chunks,
            rank,
        };
        // Whether the newest buffer holds a tanh's output, which that tanh's backward pass reads.
        let mut holds_tanh = false;
        for (index, layer) in spec.layers.iter().enumerate() {
            let from = plan.activations.len() - 1;
            let is_tanh = layer.operation == Operation::Tanh;
            let in_place = layer.operation.is_elementwise() && from > 0 && !(is_tanh && holds_tanh);
            if !in_place {
                plan.activations.push(layer.output.len());
            }
            holds_tanh = is_tanh || (in_place && holds_tanh);
            let to = plan.activations.len() - 1;
            let done = in_place && layer.operation == Operation::Relu && plan.places.last().is_some_and(|p| p.rectify);
            let rectify = matches!(layer.operation, Operation::Conv(_) | Operation::Linear(_))
                && spec
                    .layers
                    .get(index + 1)
                    .is_some_and(|next| next.operation == Operation::Relu);
            let maxima = if let Operation::Pool(_) = layer.operation {
                layer.output.len()
            } else {
                0
            };
            let (parameter, dropout) = plan.numbers_after(spec, index);
            plan.places.push(Place {
                from,
                to,
                rectify,
                done,
                maxima,
                parameter,
                dropout,
            });
            plan.count(index, layer);
        }
        plan
    }

    /// The numbers of the next parameter and the next dropout layer before layer `index`.
    fn numbers_after(&self, spec: &Spec, index: usize) -> (usize, u32) {
        match (self.places.last(), spec.layers[..index].last()) {
            (Some(place), Some(layer)) => (
                place.parameter + if layer.start.is_some() { 2 } else { 0 },
                place.dropout + u32::from(matches!(layer.operation, Operation::Dropout(_))),
            ),
            _ => (0, 0),
        }
    }

    /// Widens gradients, scratch and partial sums for what one layer needs.
    fn count(&mut self, index: usize, layer: &super::LayerSpec) {
        if index > self.first {
            self.gradient = self.gradient.max(layer.input.len());
        }
        if index >= self.first {
            self.gradient = self.gradient.max(layer.output.len());
        }
        match &layer.operation {
            Operation::Conv(conv) => {
                self.scratch = self.scratch.max(conv.scratch(&self.chunks));
                self.partial = self.partial.max(self.chunks.len() * conv.partial());
            }
            Operation::Lrn(lrn) => self.scratch = self.scratch.max(lrn.scratch()),
            _ => {}
        }
    }

    /// What `Network::new` will allocate for `spec` with `threads` threads.
    pub fn memory(&self, spec: &Spec, threads: usize) -> Memory {
        let batch = self.chunks.batch() as u64;
        let per_image: usize = self.activations.iter().sum();
        let maxima: usize = self.places.iter().map(|place| place.maxima).sum();
        let parameters = 4 * spec.parameters() as u64;
        let shares = spec.layers.iter().flat_map(|layer| Share::of_layer(self.rank, layer));
        Memory {
            parameters,
            momentum: 4 * shares.map(|share| share.updated.len()).sum::<usize>() as u64,
            parameter_gradients: parameters,
            // The probabilities lie beside the activations.
            activations: batch * (4 * (per_image + spec.classes) + maxima) as u64,
            activation_gradients: batch * 8 * self.gradient as u64,
            partial_sums: 4 * self.partial as u64,
            scratch: 4 * (self.scratch * threads) as u64,
        }
    }
}

/// Memory in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Weights and biases.
    pub parameters: u64,
    /// Momentum.
    pub momentum: u64,
    /// Gradients of weights and biases.
    pub parameter_gradients: u64,
    /// Input, outputs of layers, places of maxima, probabilities.
    pub activations: u64,
    /// Gradients that pass between layers.
    pub activation_gradients: u64,
    /// Partial sums of weight gradients, one per chunk of the batch.
    pub partial_sums: u64,
    /// Workers' scratch.
    pub scratch: u64,
}

impl Sum for Memory {
    fn sum<I: Iterator<Item = Self>>(each: I) -> Self {
        each.fold(Self::default(), |a, b| Self {
            parameters: a.parameters + b.parameters,
            momentum: a.momentum + b.momentum,
            parameter_gradients: a.parameter_gradients + b.parameter_gradients,
            activations: a.activations + b.activations,
            activation_gradients: a.activation_gradients + b.activation_gradients,
            partial_sums: a.partial_sums + b.partial_sums,
            scratch: a.scratch + b.scratch,
        })
    }
}

impl Memory {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.parameters
            + self.momentum
            + self.parameter_gradients
            + self.activations
            + self.activation_gradients
            + self.partial_sums
            + self.scratch
    }
}
