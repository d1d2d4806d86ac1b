//! A device's share of each parameter.
//!
//! With data parallelism as with columns, a share is a range of consecutive elements of the parameter as it is in a checkpoint.

use std::ops::Range;

use super::spec::Span;
use super::{LayerSpec, Placement};
use crate::config::compute::Parallel;
use crate::devices;

/// A device's share of one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Share {
    /// Shape of the whole parameter.
    pub(super) shape: Vec<usize>,
    /// The elements of the whole whose values it has.
    pub(super) held: Range<usize>,
    /// The elements that it updates: it has their momentum.
    pub(super) updated: Range<usize>,
}

impl Share {
    /// The shares of the weights and biases of `layer`; empty if it has no parameters.
    pub(super) fn of_layer(placement: Placement, layer: &LayerSpec) -> Vec<Self> {
        let Some(start) = &layer.start else { return Vec::new() };
        let outputs = start.weight[0];
        let shapes = [&start.weight[1..], &[]];
        shapes
            .map(|rest| Self::new(placement, layer.span, outputs, rest))
            .into()
    }

    /// The share of a parameter with shape `rest` per output of the layer; the device computes `outputs` of them.
    fn new(placement: Placement, span: Span, outputs: usize, rest: &[usize]) -> Self {
        let each: usize = rest.iter().product();
        let held = span.first * each..(span.first + outputs) * each;
        let updated = match placement.parallel {
            // Each device has all values, and updates the share whose gradient it sums.
            Parallel::Data => devices::share(held.len(), placement.index, placement.count),
            Parallel::Columns => held.clone(),
        };
        let shape = [&[span.of], rest].concat();
        Self { shape, held, updated }
    }

    /// The elements that it updates, relative to those that it has.
    pub(super) fn local(&self) -> Range<usize> {
        self.updated.start - self.held.start..self.updated.end - self.held.start
    }
}
