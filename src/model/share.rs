//! What a device has of each parameter.
//!
//! In every mode a device has neighbouring elements of a parameter, as it lies in the checkpoint.

use std::ops::Range;

use super::spec::Span;
use super::{LayerSpec, Placement};
use crate::config::compute::Parallel;
use crate::devices;

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
