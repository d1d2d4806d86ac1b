//! What the devices of a run are to compute.

use super::Spec;
use crate::config::compute::Method;

/// The work that the devices share, before it is known which they are.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// The whole network.
    pub spec: &'a Spec,
    /// Images per batch, over all devices.
    pub batch: usize,
    /// The run's seed, a part of the key of the dropout masks.
    pub seed: u64,
    /// How a CPU computes convolutions.
    pub method: Method,
    /// Compute threads of each CPU.
    pub threads: usize,
    /// Side of the mean image that rows of a GPU refer to; 0 if there is none.
    pub mean_side: usize,
    /// Whether a GPU's kernels are waited for one by one, so that an error names its kernel.
    pub blocking: bool,
}

impl<'a> Job<'a> {
    /// Batches of `batch` images on one thread, without a mean image.
    pub fn new(spec: &'a Spec, batch: usize) -> Self {
        Self {
            spec,
            batch,
            seed: 1,
            method: Method::Auto,
            threads: 1,
            mean_side: 0,
            blocking: false,
        }
    }
}
