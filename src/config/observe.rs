//! `[observe]`: what is told of the run.

use std::num::NonZeroUsize;

use super::range::{QUEUE, Range};
use super::value::table;

table! {
    /// `[observe]`.
    Observe {
        /// Events that may wait to be written.
        queue: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63) => QUEUE,
        /// Steps between two lines where progress is no terminal.
        line_every_steps: NonZeroUsize = NonZeroUsize::MIN.saturating_add(49) => Range::whole(1, 1_000_000_000),
    }
}
