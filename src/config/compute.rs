//! `[compute]`: the devices.

use std::num::NonZeroUsize;

use super::value::table;

table! {
    /// `[compute]`.
    Compute {
        /// Where the network runs.
        devices: Vec<String> = vec!["cpu:0".to_string()],
        /// Compute threads of a CPU device; absent: one a core.
        threads: Option<NonZeroUsize> = None,
        /// Whole batches that may wait here.
        queue: NonZeroUsize = NonZeroUsize::MIN,
    }
}
