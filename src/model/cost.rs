//! The least that a piece of a step's work costs, from the shapes alone: nominal floating-point operations, and bytes.

use std::ops::Range;

use super::{Direction, LayerSpec, Operation, Spec};

/// Bytes of an f32.
const FLOAT: u64 = size_of::<f32>() as u64;

impl Spec {
    /// Floating-point operations of the matrix products, two per multiply-add. Direct computation is assumed, whichever
    /// algorithm is used.
    pub fn flops(&self, layers: &Range<usize>, direction: Direction, batch: usize) -> u64 {
        let products = |index: usize| match direction {
            Direction::Forward | Direction::BackwardWeights => 1,
            Direction::BackwardData => u64::from(self.wants_input_gradient(index)),
            Direction::Update => 0,
        };
        let of_layer = |index: usize| Some(2 * self.layers.get(index)?.multiply_adds() * products(index));
        batch as u64 * layers.clone().filter_map(of_layer).sum::<u64>()
    }

    /// The same for a whole training step: forward and both gradients.
    pub fn step_flops(&self, batch: usize) -> u64 {
        let all = 0..self.layers.len();
        [Direction::Forward, Direction::BackwardWeights, Direction::BackwardData]
            .map(|direction| self.flops(&all, direction, batch))
            .iter()
            .sum()
    }

    /// Bytes that must be read and written at least: inputs, outputs, parameters, and what the backward pass needs from the
    /// forward pass. Values between fused layers are not counted.
    pub fn bytes(&self, layers: &Range<usize>, direction: Direction, batch: usize) -> u64 {
        let floats = |count: usize| FLOAT * count as u64;
        let [Some(first), Some(last)] = [layers.start, layers.end.saturating_sub(1)].map(|i| self.layers.get(i)) else {
            // The loss: scores and probabilities, or probabilities and the gradient of the scores.
            return batch as u64 * 2 * floats(self.classes);
        };
        let these = &self.layers[layers.clone()];
        let parameters = floats(these.iter().map(LayerSpec::parameters).sum());
        let (mut x, mut y) = (floats(first.input.len()), floats(last.output.len()));
        let mut kept: u64 = these.iter().map(|layer| kept(layer, direction)).sum();
        if let ([_], Some(pooling)) = (these, self.pooled_before(layers.start)) {
            (x, y, kept) = [floats(pooling.output.len()); 3].into();
        }
        let (images, fixed) = match direction {
            Direction::Forward => (x + y, parameters),
            Direction::BackwardData => (x + y + kept, parameters),
            Direction::BackwardWeights => (y + kept, parameters),
            // Parameters and momentum are read and written; the gradient is read.
            Direction::Update => (0, 5 * parameters),
        };
        batch as u64 * images + fixed
    }

    /// Whether a layer below has parameters, so that the gradient of this layer's input is needed.
    fn wants_input_gradient(&self, index: usize) -> bool {
        self.layers[..index].iter().any(|layer| layer.start.is_some())
    }
}

/// Bytes per image that a layer's backward pass reads from the forward pass.
fn kept(layer: &LayerSpec, direction: Direction) -> u64 {
    match &layer.operation {
        Operation::Conv(_) | Operation::Linear(_) if direction == Direction::BackwardData => 0,
        Operation::Conv(_) | Operation::Linear(_) | Operation::Lrn(_) => FLOAT * layer.input.len() as u64,
        Operation::Relu | Operation::Tanh => FLOAT * layer.output.len() as u64,
        // The argmax of each window, one byte.
        Operation::Pool(_) => layer.output.len() as u64,
        // Masks are drawn again.
        Operation::Dropout { .. } | Operation::Reshard(_) => 0,
    }
}
