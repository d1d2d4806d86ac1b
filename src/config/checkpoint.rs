//! `[checkpoint]`: which checkpoints are kept, and how often they are written.

use std::num::NonZeroUsize;

use super::range::Range;
use super::value::table;

table! {
    /// `[checkpoint]`. In any case a checkpoint is written at step 0 (removed once there is a later one), after each
    /// evaluation and at the end.
    Checkpoint {
        /// Steps between two checkpoints.
        every_steps: NonZeroUsize = NonZeroUsize::MIN.saturating_add(999) => Range::whole(1, 1_000_000_000),
        /// How many of the newest checkpoints are kept. The best weights are kept beside them, without momentum.
        keep: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1) => Range::whole(1, 1_000_000),
    }
}
