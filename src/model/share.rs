//! A device's share of each parameter.
//!
//! With data parallelism as with columns, a share is a range of consecutive elements of the parameter as it is in a checkpoint.

use std::ops::Range;

use super::{ParameterSpec, Placement};
use crate::config::compute::Parallel;
use crate::devices;

/// A device's share of one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Share {
    /// The elements of the whole whose values it has.
    pub(super) held: Range<usize>,
    /// The elements that it updates: it has their momentum.
    pub(super) updated: Range<usize>,
}

impl Share {
    /// The share of a parameter of the device's own network.
    pub(super) fn new(placement: Placement, parameter: &ParameterSpec<'_>) -> Self {
        let shape = parameter.shape();
        let (outputs, each) = (shape[0], shape[1..].iter().product::<usize>());
        let first = parameter.layer.span.first;
        let held = first * each..(first + outputs) * each;
        let updated = match placement.parallel {
            // Each device has all values, and updates the share whose gradient it sums.
            Parallel::Data => devices::share(held.len(), placement.index, placement.count),
            Parallel::Columns => held.clone(),
        };
        Self { held, updated }
    }

    /// The elements that it updates, relative to those that it has.
    pub(super) fn local(&self) -> Range<usize> {
        self.updated.start - self.held.start..self.updated.end - self.held.start
    }
}
