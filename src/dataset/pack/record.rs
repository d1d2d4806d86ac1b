//! What is written for one sample.

use std::sync::Arc;

use crate::dataset::moments::Moments;

/// A sample on its way into a shard. Its buffers are reused for the next samples.
#[derive(Debug, Default)]
pub struct Record {
    /// Its position in the pack, counted through all shards.
    pub position: u32,
    /// Its index in the source.
    pub sample: u32,
    /// The image member.
    pub bytes: Vec<u8>,
    /// Its extension: `jpg`, `png`, `ppm`, …
    pub extension: &'static str,
    /// xxh3-64 of `bytes`.
    pub checksum: u64,
    /// xxh3-64 of the source's encoded bytes.
    pub original: u64,
    /// Width and height of the frame.
    pub frame: (u32, u32),
    /// The moments of the frame's pixels.
    pub moments: Moments,
    /// The frame's RGB pixels, if a mean image may be computed from them.
    pub pixels: Vec<u8>,
    /// Why the image is left out.
    pub refused: Option<Arc<str>>,
}
