//! decode: a sample's bytes → u8 RGB of exactly the crop.
//!
//! [`Decoder::open`] reads the header and tells the size of the frame; the caller draws a region in it;
//! [`Decoder::pixels`] decodes that region. JPEG by libjpeg-turbo (8 and 12 bits; grey, RGB, CMYK; baseline, progressive,
//! arithmetic), PNG by `image`; which of the two a file is, its first bytes say.
//!
//! - What a sample becomes depends on its bytes and the options alone, never on what was decoded before it.
//! - A region has the pixels that the whole frame has there, and a file is refused or not whatever the region.
//! - Damaged files are refused in libjpeg's own words: what libjpeg would only warn about, it would fill with noise.
//! - Nothing is allocated for a sample once the buffers have grown, but for PNG, libjpeg's own memory and, where
//!   images are resized, the weights of `fast_image_resize` (a block for each row and column).

mod cmyk;
mod decoder;
mod error;
mod exif;
mod fallback;
mod frame;
mod jpeg;
mod resize;
mod sniff;

pub use decoder::{Decoder, Options};
pub use error::DecodeError;
pub use frame::{Frame, Region};
