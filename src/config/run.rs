//! `[run]`: where the run lives and how long it lasts.

use std::path::PathBuf;

use super::memory::MemoryLimit;
use super::range::Range;
use super::value::{choice, table};

choice! {
    /// How the run treats a sample that cannot be decoded. The same holds for `run`, `eval` and statistics.
    OnBadImage {
        /// The run ends and names the sample.
        Fail = "fail",
        /// Its row gets weight 0. At most `bad_images_max` different samples are allowed.
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
        /// The seed of every random number in the run.
        seed: u64 = 1,
        /// Passes over the training set.
        epochs: u32 = 90 => Range::whole(0, 1_000_000),
        /// Ends the run after this many steps instead, even in the middle of an epoch.
        steps: Option<u32> = None => Range::whole(1, 1_000_000_000),
        /// How the run treats a sample that cannot be decoded.
        on_bad_image: OnBadImage = OnBadImage::Fail,
        /// How many different bad samples are allowed under `skip` and `quarantine`.
        bad_images_max: u32 = 100 => Range::whole(0, u32::MAX),
        /// Whether the stream hash also covers the pixels that the network sees, not only what they are made from.
        hash_pixels: bool = false,
        /// The most memory that the run may take. It limits the number of workers under `"auto"`.
        memory: MemoryLimit = MemoryLimit::Auto,
        /// A run without any progress for this many seconds is ended, and the message names the stage that is stuck.
        stall_after_s: u32 = 600 => Range::whole(1, 1_000_000_000),
    }
}
