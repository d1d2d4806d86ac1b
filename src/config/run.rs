//! `[run]`: where the run lives and how long it lasts.

use std::path::PathBuf;

use super::memory::MemoryLimit;
use super::range::Range;
use super::value::{choice, table};

choice! {
    /// What a sample that cannot be decoded does to the run. The same in `run`, `eval` and statistics.
    OnBadImage {
        /// The run ends and names it.
        Fail = "fail",
        /// Its row gets weight 0; at most `bad_images_max` different ones.
        Skip = "skip",
        /// As `skip`, and the encoded bytes are copied to `OUT/quarantine/train/` or `…/val/`.
        Quarantine = "quarantine",
    }
}

table! {
    /// `[run]`.
    Run {
        /// The folder that the run writes to.
        out: PathBuf = PathBuf::from("runs/default"),
        /// Every random number of the run derives from it.
        seed: u64 = 1,
        /// Passes over the training set.
        epochs: u32 = 90 => Range::whole(0, 1_000_000),
        /// Ends the run after this many steps instead, in the middle of an epoch if need be.
        steps: Option<u32> = None => Range::whole(1, 1_000_000_000),
        /// What a sample that cannot be decoded does to the run.
        on_bad_image: OnBadImage = OnBadImage::Fail,
        /// How many different bad samples are too many under `skip` and `quarantine`.
        bad_images_max: u32 = 100 => Range::whole(0, u32::MAX),
        /// Whether the stream hash covers the pixels that the network sees, beside what they are made from.
        hash_pixels: bool = false,
        /// The most memory that the run may take: it bounds how many workers `"auto"` may come to.
        memory: MemoryLimit = MemoryLimit::Auto,
        /// A run in which nothing has moved for this many seconds is ended, with the stage that is stuck.
        stall_after_s: u32 = 600 => Range::whole(1, 1_000_000_000),
    }
}
