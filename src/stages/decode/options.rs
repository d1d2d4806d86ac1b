//! How images are decoded.

/// Images that take more bytes than this are large, by default.
pub const LARGE: u64 = 64 << 20;

/// How every image is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Resizes the image, up or down, to this length of its shorter side; the aspect ratio stays.
    pub shorter_side: Option<u32>,
    /// Whether the frame is the central square of the (resized) image.
    pub square: bool,
    /// Whether libjpeg may decode at 1/2, 1/4 or 1/8 of the size if an image is reduced that much.
    pub dct_scaling: bool,
    /// Whether images are turned upright according to their EXIF orientation.
    pub exif: bool,
    /// Images of more pixels are refused before memory is allocated for them, and so are images that would take more memory
    /// than three bytes for each of this many pixels.
    pub max_pixels: u64,
    /// Images that take more bytes are decoded one at a time over all decoders, and their memory is freed afterwards.
    pub large: u64,
}

impl Options {
    /// The most bytes that decoding one image may take.
    pub fn most_bytes(&self) -> u64 {
        self.max_pixels.saturating_mul(3)
    }
}

impl Default for Options {
    fn default() -> Self {
        // Pillow's limit for decompression bombs: half a GiB of RGB. A header of 20 bytes can claim 65500 by 65500 pixels,
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

/// What is known about the bytes to be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Nothing: all of them are read, so that whether an image is refused does not depend on the wanted part.
    Unknown,
    /// They belong to an image that was decoded as a whole before: only what the wanted part needs is read.
    Verified,
}
