//! `[decode]`: from encoded bytes to RGB of the frame in which crops are drawn.

use std::num::NonZeroUsize;

use super::range::{QUEUE, SIDE, WORKERS};
use super::value::table;
use super::workers::Workers;

table! {
    /// `[decode]`.
    Decode {
        /// Threads.
        workers: Workers = Workers::Auto => WORKERS,
        /// Tickets that may wait here.
        queue: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63) => QUEUE,
        /// Scales the image until its shorter side has this many pixels (paper: 256); absent: as it is.
        shorter_side: Option<u32> = None => SIDE,
        /// Whether only the central square of the scaled image is used (paper: yes).
        square: bool = true,
        /// Whether libjpeg may decode at 1/2, 1/4 or 1/8 of the size where an image is made far smaller.
        dct_scaling: bool = true,
        /// Whether the EXIF orientation is applied.
        exif: bool = true,
    }
}
