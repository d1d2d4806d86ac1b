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
}
