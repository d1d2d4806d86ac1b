//! `[decode]`: from encoded bytes to an RGB frame, from which crops are drawn.

use std::num::NonZeroUsize;

use super::range::{QUEUE, SIDE, WORKERS};
use super::value::table;
use super::workers::Workers;

table! {
    /// `[decode]`.
    Decode {
        /// Threads.
        workers: Workers = Workers::Auto => WORKERS,
        /// Capacity of the queue of tickets.
        queue: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63) => QUEUE,
        /// The shorter side of the image after scaling, in pixels (paper: 256); absent: no scaling.
        shorter_side: Option<u32> = None => SIDE,
        /// Whether only the central square of the scaled image is used (paper: yes).
        square: bool = true,
        /// Whether libjpeg may decode at 1/2, 1/4 or 1/8 of the size when an image is scaled down that far.
        dct_scaling: bool = true,
        /// Whether the EXIF orientation is applied.
        exif: bool = true,
    }
}
