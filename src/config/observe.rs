//! `[observe]`: progress and events of the run.

use std::num::NonZeroUsize;

use super::range::{QUEUE, Range};
use super::value::table;

table! {
    /// `[observe]`.
    Observe {
        /// Capacity of the queue of events to be written.
        queue: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63) => QUEUE,
        /// Steps between two lines of progress when the output is not a terminal.
        line_every_steps: NonZeroUsize = NonZeroUsize::MIN.saturating_add(49) => Range::whole(1, 1_000_000_000),
    }
}
