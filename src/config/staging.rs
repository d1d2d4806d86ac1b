//! `[staging]`: where rows become batches.

use std::num::NonZeroUsize;

use super::range::{QUEUE, Range};
use super::value::table;

table! {
    /// `[staging]`.
    Staging {
        /// Rows of a batch (paper: 128).
        batch: NonZeroUsize = NonZeroUsize::MIN.saturating_add(127) => Range::whole(1, 1 << 24),
        /// Batches under assembly or waiting: the whole read-ahead.
        slots: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2) => Range::whole(1, 65_536),
        /// Receipts that may wait here.
        queue: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63) => QUEUE,
    }
}
