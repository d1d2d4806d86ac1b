//! `[staging]`: where rows become batches.

use std::num::NonZeroUsize;

use super::range::{QUEUE, Range};
use super::value::table;

table! {
    /// `[staging]`.
    Staging {
        /// Rows per batch (paper: 128).
        batch: NonZeroUsize = NonZeroUsize::MIN.saturating_add(127) => Range::whole(1, 1 << 24),
        /// Batches being assembled or waiting: the whole read-ahead.
        slots: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2) => Range::whole(1, 65_536),
        /// Capacity of the queue of receipts.
        queue: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63) => QUEUE,
    }
}
