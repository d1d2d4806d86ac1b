//! Why an image is refused. Users read these after `CLASS/name: `.

use crate::text;

/// Why an image is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No bytes.
    #[error("the file is empty (0 bytes)")]
    Empty,
    /// Not an image that can be decoded.
    #[error("not a JPEG or PNG but {0}")]
    OtherFormat(&'static str),
    /// An image with other bytes in front of it.
    #[error("{what} after {}; remove {}", text::counted(*.bytes as u64, "foreign byte"), if *.bytes == 1 { "it" } else { "them" })]
    Behind {
        /// The image's format.
        what: &'static str,
        /// How many bytes.
        bytes: usize,
    },
    /// Larger than allowed, in pixels of the image or of the resized image.
    #[error("{what} of {width}x{height} pixels exceeds the limit of {limit} pixels")]
    TooLarge {
        /// The image, or the resized image.
        what: &'static str,
        /// Pixels in a row.
        width: u64,
        /// Rows.
        height: u64,
        /// Pixels allowed.
        limit: u64,
    },
    /// Smaller than the crop.
    #[error(
        "{width}x{height} pixels after scaling is smaller than the crop of {crop}; set decode.shorter_side to enlarge it"
    )]
    SmallerThanCrop {
        /// The frame's width.
        width: u32,
        /// The frame's height.
        height: u32,
        /// Side of the crop.
        crop: u32,
    },
    /// A pack's member that has changed since it was written.
    #[error("its bytes have changed since it was packed")]
    NotAsPacked,
    /// Damaged, in the words of libjpeg-turbo.
    #[error("damaged JPEG: {0}")]
    Jpeg(String),
    /// A kind of JPEG that is not supported.
    #[error("unsupported JPEG: {0}")]
    UnsupportedJpeg(String),
    /// Damaged, in the words of the PNG decoder.
    #[error("damaged PNG: {0}")]
    Png(String),
    /// Another format, damaged or not supported, in the words of its decoder.
    #[error("{state} {format}: {reason}")]
    Other {
        /// Damaged or unsupported.
        state: &'static str,
        /// BMP, GIF, TIFF or WebP.
        format: &'static str,
        /// Why.
        reason: String,
    },
    /// Not a binary PPM of 8 bits, or a truncated one.
    #[error("damaged PPM: {0}")]
    Ppm(String),
    /// The caller's region is not inside the frame.
    #[error("region {width}x{height} at ({x}, {y}) is not inside the frame of {frame_width}x{frame_height}")]
    Region {
        /// The region's left.
        x: u32,
        /// The region's top.
        y: u32,
        /// The region's width.
        width: u32,
        /// The region's height.
        height: u32,
        /// The frame's width.
        frame_width: u32,
        /// The frame's height.
        frame_height: u32,
    },
    /// The caller's buffer does not have the size of the pixels.
    #[error("the buffer has {got} bytes, but the pixels need {want}")]
    Buffer {
        /// Bytes given.
        got: usize,
        /// Bytes needed.
        want: usize,
    },
    /// The library could not be set up.
    #[error("libjpeg-turbo cannot be set up: {0}")]
    Setup(String),
}
