//! The work and the memory of a network, decided before any memory is allocated.

use super::fuse::fuse;
use super::segment::{Head, Segment};
use crate::config::compute::Method;
use crate::memory::Bytes;
use crate::model::share::Share;
use crate::model::{Direction, Memory, Placement, Spec};
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
    /// The plan of a device for batches of `batch` images. `spec` is the device's own network. `method` says how
    /// convolutions are computed.
    pub fn new(placement: Placement, spec: &Spec, batch: usize, method: Method) -> Self {
        let chunks = chunks(placement, batch);
        let segments = fuse(spec, &chunks, method);
        let first = segments.iter().position(Segment::is_trained).unwrap_or(0);
        let most = |of: &dyn Fn(&Segment) -> usize| segments.iter().map(of).max().unwrap_or(0);
        let kernels = |of: &dyn Fn(&crate::ops::conv::cpu::Kernel) -> usize| {
            most(&|segment| match &segment.head {
                Head::Convolution(kernel) => of(kernel),
                _ => 0,
            })
        };
        let vectors = |of: &dyn Fn(crate::ops::linear::cpu::Kernel) -> usize| {
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
        let updated = spec
            .parameter_specs()
            .map(|of| Share::new(self.placement, &of).updated.len());
        Memory {
            parameters: floats(spec.parameters()),
            momentum: floats(updated.sum()),
            parameter_gradients: floats(spec.parameters()) + floats(self.partial),
            activations: (floats(values) + Bytes::of::<u8>(argmax)) * batch,
            activation_gradients: floats(self.gradient) * batch * 2,
            exchange: floats(self.shown),
            scratch: floats(self.scratch) * threads + floats(self.packed),
        }
    }
}

/// How the rows of a device are cut into chunks. Two devices get the two halves from which sums over the batch are made
/// anyway.
fn chunks(placement: Placement, batch: usize) -> Chunks {
    let rows = placement.rows(batch).len();
    if rows == batch {
        Chunks::new(batch)
    } else if placement.count == 2 {
        Chunks::new(batch).half(placement.index == 1)
    } else {
        Chunks::new(rows)
    }
}
