//! The memory of a network: all of it made here, once.

use super::{Memory, Plan, Spec};

/// Activations and gradients.
#[derive(Debug)]
pub(super) struct Buffers {
    /// As numbered by [`Plan::places`]; the first is the input.
    pub(super) activations: Vec<Vec<f32>>,
    /// Places of maxima, one buffer for each layer, empty for all but max pooling.
    pub(super) maxima: Vec<Vec<u8>>,
    /// Softmax of the last activations.
    pub(super) probabilities: Vec<f32>,
    /// The gradient of a layer's output and, being written, of its input.
    pub(super) gradients: [Vec<f32>; 2],
    /// Gradient of each parameter.
    pub(super) parameters: Vec<Vec<f32>>,
    /// Partial sums of a convolution's weight gradient.
    pub(super) partial: Vec<f32>,
}

impl Buffers {
    pub(super) fn new(spec: &Spec, plan: &Plan) -> Self {
        let batch = plan.chunks.batch();
        let starts = spec.layers.iter().filter_map(|layer| layer.start.as_ref());
        let parameters = starts.flat_map(|start| [start.weight.iter().product(), start.weight[0]]);
        Self {
            activations: plan
                .activations
                .iter()
                .map(|floats| vec![0.0; batch * floats])
                .collect(),
            maxima: plan.places.iter().map(|place| vec![0; batch * place.maxima]).collect(),
            probabilities: vec![0.0; batch * spec.classes],
            gradients: [vec![0.0; batch * plan.gradient], vec![0.0; batch * plan.gradient]],
            parameters: parameters.map(|floats| vec![0.0; floats]).collect(),
            partial: vec![0.0; plan.partial],
        }
    }

    /// What is really held, added to `memory`.
    pub(super) fn add_to(&self, memory: &mut Memory) {
        let floats = |buffers: &[Vec<f32>]| 4 * buffers.iter().map(Vec::capacity).sum::<usize>() as u64;
        memory.activations += floats(&self.activations)
            + 4 * self.probabilities.capacity() as u64
            + self.maxima.iter().map(Vec::capacity).sum::<usize>() as u64;
        memory.activation_gradients += floats(&self.gradients);
        memory.parameter_gradients += floats(&self.parameters);
        memory.partial_sums += 4 * self.partial.capacity() as u64;
    }
}
