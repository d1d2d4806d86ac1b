//! The memory of a network, all of it allocated here, once.

use super::plan::Plan;
use super::segment::{POOLS, Segment, VALUES};
use crate::devices::cpu::Rows;
use crate::memory::{Bytes, NoMemory, zeroed};
use crate::model::{Memory, Spec};

const ACTIVATIONS: &str = "activations";

/// Activations and gradients.
#[derive(Debug)]
pub(super) struct Buffers {
    /// The batch, planar.
    pub(super) input: Vec<f32>,
    /// What each segment keeps.
    pub(super) segments: Vec<Kept>,
    /// Softmax of the last value.
    pub(super) probabilities: Vec<f32>,
    /// The gradient of a segment's last value, and that of its input, which is being written.
    pub(super) gradients: [Vec<f32>; 2],
    /// Gradient of each parameter.
    pub(super) parameters: Vec<Vec<f32>>,
    /// Partial sums of a convolution's weight gradient.
    pub(super) partial: Vec<f32>,
    /// A convolution's packed weights, or what a fully connected layer packs.
    pub(super) packed: Vec<f32>,
    /// Memory that devices exchange at a reshard.
    pub(super) shown: Vec<f32>,
}

/// What one segment keeps for the whole batch.
#[derive(Debug)]
pub(super) struct Kept {
    /// Its values from number 1 on. Values that are not kept are empty.
    pub(super) values: Vec<Vec<f32>>,
    /// The argmax of each pooling window.
    pub(super) argmax: Vec<Vec<u8>>,
}

impl Kept {
    fn new(segment: &Segment, batch: usize) -> Result<Self, NoMemory> {
        let values = segment.values[1..].iter();
        let floats = values.map(|value| if value.kept { batch * value.map.len() } else { 0 });
        let argmax = segment.argmax.iter().map(|argmax| batch * argmax);
        Ok(Self {
            values: floats
                .map(|floats| zeroed(ACTIVATIONS, floats))
                .collect::<Result<_, _>>()?,
            argmax: argmax
                .map(|bytes| zeroed(ACTIVATIONS, bytes))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The last value: the input of the next segment.
    pub(super) fn last(&self) -> &[f32] {
        self.values.last().map_or(&[], |value| value)
    }

    /// Values and argmax, for splitting along the batch.
    #[allow(clippy::type_complexity, reason = "the outputs of a segment")]
    pub(super) fn rows<'a>(
        &'a mut self,
        segment: &Segment,
    ) -> ([Option<Rows<'a, f32>>; VALUES], [Option<Rows<'a, u8>>; POOLS]) {
        let mut values = self.values.iter_mut().zip(&segment.values[1..]);
        let mut argmax = self.argmax.iter_mut().zip(&segment.argmax);
        (
            std::array::from_fn(|_| {
                let (data, value) = values.next()?;
                Some(Rows::new(data, if value.kept { value.map.len() } else { 0 }))
            }),
            std::array::from_fn(|_| argmax.next().map(|(data, len)| Rows::new(data, *len))),
        )
    }
}

impl Buffers {
    pub(super) fn new(spec: &Spec, plan: &Plan) -> Result<Self, NoMemory> {
        let batch = plan.chunks.batch();
        let parameters = spec.parameter_specs().map(|of| of.shape().iter().product());
        let segments = plan.segments.iter().map(|segment| Kept::new(segment, batch));
        let gradient = || zeroed("gradients of activations", batch * plan.gradient);
        Ok(Self {
            input: zeroed(ACTIVATIONS, batch * spec.input.len())?,
            segments: segments.collect::<Result<_, _>>()?,
            probabilities: zeroed(ACTIVATIONS, batch * spec.classes)?,
            gradients: [gradient()?, gradient()?],
            parameters: parameters
                .map(|floats| zeroed("gradients of parameters", floats))
                .collect::<Result<_, _>>()?,
            partial: zeroed("partial sums of gradients", plan.partial)?,
            packed: zeroed("packed weights", plan.packed)?,
            shown: zeroed("the exchange of activations", plan.shown)?,
        })
    }

    /// The input of segment `number`, and what that segment keeps.
    pub(super) fn at(&mut self, number: usize) -> (&[f32], &mut Kept) {
        let (before, here) = self.segments.split_at_mut(number);
        (before.last().map_or(&self.input, |kept| kept.last()), &mut here[0])
    }

    /// The scores before the softmax.
    pub(super) fn logits(&self) -> &[f32] {
        self.segments.last().map_or(&[], Kept::last)
    }

    /// Memory that is really allocated.
    pub(super) fn memory(&self) -> Memory {
        fn of<'a, T: 'a>(buffers: impl IntoIterator<Item = &'a Vec<T>>) -> Bytes {
            let each = buffers.into_iter().map(|buffer| Bytes::of::<T>(buffer.capacity()));
            each.sum()
        }
        let kept = self.segments.iter().map(|kept| of(&kept.values) + of(&kept.argmax));
        Memory {
            activations: kept.sum::<Bytes>() + of([&self.input, &self.probabilities]),
            activation_gradients: of(&self.gradients),
            parameter_gradients: of(&self.parameters) + of([&self.partial]),
            exchange: of([&self.shown]),
            scratch: of([&self.packed]),
            ..Memory::default()
        }
    }
}
