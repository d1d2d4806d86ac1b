//! `[staging]`: where rows become batches.

use std::num::NonZeroUsize;

use super::value::table;

table! {
    /// `[staging]`.
    Staging {
        /// Rows of a batch (paper: 128).
        batch: NonZeroUsize = NonZeroUsize::MIN.saturating_add(127),
        /// Batches under assembly or waiting: the whole read-ahead.
        slots: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2),
        /// Receipts that may wait here.
        queue: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63),
    }
}
