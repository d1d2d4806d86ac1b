//! The work and the memory of a network, decided before any memory is allocated.

use std::iter::Sum;

use super::fuse::fuse;
use super::segment::{Head, Segment};
use crate::config::compute::Method;
use crate::memory::Bytes;
use crate::model::share::Share;
use crate::model::{Direction, Placement, Spec};
use crate::ops::Chunks;
use crate::ops::conv::Algorithm;

/// The work and the memory of a network for one batch size.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How the batch is cut into chunks.
    pub chunks: Chunks,
    /// The device that it is for.
    pub placement: Placement,
    /// The layers, fused into segments.
    pub segments: Vec<Segment>,
    /// The first segment with parameters: no gradient is needed below it.
    pub first: usize,
    /// Elements per image of each of the two buffers for gradients between segments.
    pub gradient: usize,
    /// Floats of scratch for each worker.
    pub scratch: usize,
    /// Floats of a convolution's partial sums of the weight gradient, over all chunks.
    pub partial: usize,
    /// Floats of a convolution's packed weights, or of what a fully connected layer packs.
    pub packed: usize,
    /// Floats that devices exchange.
    pub shown: usize,
}

impl Plan {
    /// The plan for `spec` with batches of `batch` images. `method` says how convolutions are computed.
    pub fn new(spec: &Spec, batch: usize, method: Method) -> Self {
        Self::on(Placement::ALONE, spec, batch, method)
    }

    /// The plan of a device that has a share of each batch, or of the network; then `spec` is its share.
    pub fn on(placement: Placement, spec: &Spec, batch: usize, method: Method) -> Self {
        let chunks = placement.chunks(batch);
        let segments = fuse(spec, &chunks, method);
        let first = segments.iter().position(Segment::is_trained).unwrap_or(0);
        let most = |of: &dyn Fn(&Segment) -> usize| segments.iter().map(of).max().unwrap_or(0);
        let kernels = |of: &dyn Fn(&crate::ops::conv::cpu::Kernel) -> usize| {
            most(&|segment| match &segment.head {
                Head::Convolution(kernel) => of(kernel),
                _ => 0,
            })
        };
        let vectors = |of: &dyn Fn(crate::ops::linear::Geometry) -> usize| {
            most(&|segment| match segment.head {
                Head::FullyConnected(linear) => of(linear),
                _ => 0,
            })
        };
        let batch = chunks.batch();
        let gradients = segments.iter().skip(first).map(Segment::output);
        Self {
            first,
            gradient: gradients.max().unwrap_or(0),
            scratch: most(&Segment::scratch).max(vectors(&|linear| linear.scratch(batch))),
            partial: chunks.len() * kernels(&|kernel| kernel.partial()),
            packed: kernels(&|kernel| kernel.packed()).max(vectors(&|linear| linear.space(batch))),
            shown: chunks.batch() * most(&Segment::shown),
            chunks,
            placement,
            segments,
        }
    }

    /// How layer number `layer` is computed, if it is a convolution.
    pub fn algorithm(&self, layer: usize, direction: Direction) -> Option<Algorithm> {
        let segment = self.segments.iter().find(|segment| segment.layer == layer)?;
        let Head::Convolution(kernel) = &segment.head else {
            return None;
        };
        match direction {
            Direction::Forward | Direction::BackwardWeights => Some(kernel.algorithm()),
            Direction::BackwardData => Some(kernel.algorithm_of_data()),
            Direction::Update => None,
        }
    }

    /// The memory that `Network::new` will allocate for `spec` with `threads` threads.
    pub fn memory(&self, spec: &Spec, threads: usize) -> Memory {
        let batch = self.chunks.batch();
        let floats = Bytes::of::<f32>;
        let (mut values, mut argmax) = (spec.input.len() + spec.classes, 0);
        for segment in &self.segments {
            let kept = segment.values[1..].iter().filter(|value| value.kept);
            values += kept.map(|value| value.map.len()).sum::<usize>();
            argmax += segment.argmax.iter().sum::<usize>();
        }
        let shares = spec
            .layers
            .iter()
            .flat_map(|layer| Share::of_layer(self.placement, layer));
        Memory {
            parameters: floats(spec.parameters()),
            momentum: floats(shares.map(|share| share.updated.len()).sum()),
            parameter_gradients: floats(spec.parameters()),
            activations: (floats(values) + Bytes::of::<u8>(argmax)) * batch,
            activation_gradients: floats(self.gradient) * batch * 2,
            partial_sums: floats(self.partial),
            packed_weights: floats(self.packed),
            exchange: floats(self.shown),
            scratch: floats(self.scratch) * threads,
        }
    }
}

/// What the memory of a network is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Weights and biases.
    pub parameters: Bytes,
    /// Momentum.
    pub momentum: Bytes,
    /// Gradients of weights and biases.
    pub parameter_gradients: Bytes,
    /// Input, kept values, argmax of pooling windows, probabilities.
    pub activations: Bytes,
    /// Gradients that pass between segments.
    pub activation_gradients: Bytes,
    /// Partial sums of weight gradients, one per chunk of the batch.
    pub partial_sums: Bytes,
    /// A convolution's weights, or a fully connected layer's inputs, as the kernels read them.
    pub packed_weights: Bytes,
    /// Maps that devices exchange.
    pub exchange: Bytes,
    /// Workers' scratch.
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
            partial_sums: a.partial_sums + b.partial_sums,
            packed_weights: a.packed_weights + b.packed_weights,
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
            + self.partial_sums
            + self.packed_weights
            + self.exchange
            + self.scratch
    }
}
