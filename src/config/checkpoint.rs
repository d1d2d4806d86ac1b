//! `[checkpoint]`: what is kept, and how often.

use std::num::NonZeroUsize;

use super::range::Range;
use super::value::table;

table! {
    /// `[checkpoint]`. One is written at step 0, after each evaluation and at the end in any case.
    Checkpoint {
        /// Steps between two checkpoints.
        every_steps: NonZeroUsize = NonZeroUsize::MIN.saturating_add(999) => Range::whole(1, 1_000_000_000),
        /// How many of the newest are kept, beside the best, the first and the last.
        keep: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2) => Range::whole(1, 1_000_000),
    }
}
