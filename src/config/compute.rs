//! `[compute]`: the devices.

use std::num::NonZeroUsize;

use super::value::{choice, table};

choice! {
    /// How convolutions of kernels of 3 and 5 at stride 1 are computed on the CPU.
    Method {
        /// The one that is faster.
        Auto = "auto",
        /// By direct convolution: no more rounding than a sum has.
        Direct = "direct",
        /// By Winograd's minimal filtering: about half the time, ten times the rounding.
        Winograd = "winograd",
    }
}

table! {
    /// `[compute]`.
    Compute {
        /// Where the network runs.
        devices: Vec<String> = vec!["cpu:0".to_string()],
        /// Compute threads of a CPU device; absent: one a core.
        threads: Option<NonZeroUsize> = None,
        /// How convolutions are computed: `auto`, `direct` or `winograd`.
        convolution: Method = Method::Auto,
        /// Whole batches that may wait here.
        queue: NonZeroUsize = NonZeroUsize::MIN,
    }
}
