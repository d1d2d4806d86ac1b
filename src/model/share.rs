//! What a device has of each parameter, and how that comes from and goes to whole parameters.
//!
//! In every mode a device has neighbouring elements of a parameter, as it lies in the checkpoint.

use std::ops::Range;

use super::spec::Span;
use super::{LayerSpec, Network, Parameter, Placement};
use crate::config::compute::Parallel;
use crate::devices;
use crate::memory::{NoMemory, zeroed};

/// A device's part of one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Share {
    /// Shape of the whole.
    pub(super) shape: Vec<usize>,
    /// Elements of the whole whose values it has.
    pub(super) held: Range<usize>,
    /// Those of them that it updates: it has their momentum.
    pub(super) updated: Range<usize>,
}

impl Share {
    /// The shares of weights and biases of `layer`; none where it has no parameters.
    pub(super) fn of_layer(placement: Placement, layer: &LayerSpec) -> Vec<Self> {
        let Some(start) = &layer.start else { return Vec::new() };
        let outputs = start.weight[0];
        let shapes = [&start.weight[1..], &[]];
        shapes
            .map(|rest| Self::new(placement, layer.span, outputs, rest))
            .into()
    }

    /// Of a parameter with `rest` elements for each output of the layer, of which the device makes `outputs`.
    fn new(placement: Placement, span: Span, outputs: usize, rest: &[usize]) -> Self {
        let each: usize = rest.iter().product();
        let held = span.first * each..(span.first + outputs) * each;
        let updated = match placement.parallel {
            // Each device has all values, and updates the part whose gradient it sums.
            Parallel::Data => devices::share(held.len(), placement.index, placement.count),
            Parallel::Columns => held.clone(),
        };
        let shape = [&[span.of], rest].concat();
        Self { shape, held, updated }
    }

    /// What it updates, counted among what it has.
    pub(super) fn local(&self) -> Range<usize> {
        self.updated.start - self.held.start..self.updated.end - self.held.start
    }
}

impl Network {
    /// Copies what this device updates into whole parameters; where there are none yet, they are made. When every device has
    /// done so, they are complete.
    pub fn store(&self, whole: &mut Vec<Parameter>) -> Result<(), NoMemory> {
        if whole.len() != self.parameters.len() {
            let room = |share: &Share| zeroed("the copy for checkpoints", share.shape.iter().product());
            let parameters = self.parameters.iter().zip(&self.shares).map(|(own, share)| {
                Ok(Parameter {
                    name: own.name.clone(),
                    shape: share.shape.clone(),
                    value: room(share)?,
                    momentum: room(share)?,
                })
            });
            *whole = parameters.collect::<Result<_, _>>()?;
        }
        for ((own, share), whole) in self.parameters.iter().zip(&self.shares).zip(whole) {
            whole.value[share.updated.clone()].copy_from_slice(&own.value[share.local()]);
            whole.momentum[share.updated.clone()].copy_from_slice(&own.momentum);
        }
        Ok(())
    }

    /// Takes this device's part of whole parameters, which must be of this network in its order. Those without momentum have
    /// none afterwards.
    pub fn load(&mut self, whole: &[&Parameter]) {
        assert_eq!(whole.len(), self.parameters.len(), "all parameters");
        for ((own, share), whole) in self.parameters.iter_mut().zip(&self.shares).zip(whole) {
            own.value.copy_from_slice(&whole.value[share.held.clone()]);
            match whole.momentum.get(share.updated.clone()) {
                Some(momentum) => own.momentum.copy_from_slice(momentum),
                // Weights alone, to be evaluated.
                None => own.momentum.fill(0.0),
            }
        }
    }

    /// Name and whole shape of each parameter.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, &[usize])> {
        let names = self.parameters.iter().map(|parameter| parameter.name.as_str());
        names.zip(self.shares.iter().map(|share| share.shape.as_slice()))
    }
}
