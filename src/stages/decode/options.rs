//! How images are decoded.

/// What an image takes that is large unless said otherwise.
pub const LARGE: u64 = 64 << 20;

/// What is done to every image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Resize so that the shorter side has this length, up or down; the aspect ratio stays.
    pub shorter_side: Option<u32>,
    /// The frame is the central square of the (resized) image.
    pub square: bool,
    /// Let libjpeg decode at 1/2, 1/4 or 1/8 of the size where an image is made far smaller.
    pub dct_scaling: bool,
    /// Turn images upright as their EXIF orientation says.
    pub exif: bool,
    /// Images of more pixels are refused before memory is taken for them, and so are those that would take more memory than
    /// three bytes for each of so many.
    pub max_pixels: u64,
    /// Images that take more bytes are decoded one at a time, by all decoders together, and their memory is given back.
    pub large: u64,
}

impl Options {
    /// Bytes that decoding one image may take.
    pub fn most_bytes(&self) -> u64 {
        self.max_pixels.saturating_mul(3)
    }
}

impl Default for Options {
    fn default() -> Self {
        // Where Pillow calls an image a decompression bomb: half a GiB of RGB. A header of 20 bytes can claim 65500 by 65500,
        // 13 GB.
        Self {
            shorter_side: None,
            square: false,
            dct_scaling: true,
            exif: true,
            max_pixels: 178_956_970,
            large: LARGE,
        }
    }
}

/// What is known of the bytes to be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Nothing: all of them are read, so that an image is refused or not whatever part of it is wanted.
    Unknown,
    /// They are those of an image that was decoded whole before: only what the wanted part needs is read.
    Verified,
}
