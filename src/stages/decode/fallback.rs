//! PNG, by the `image` crate. Alpha is dropped, 16 bits become 8.

use std::io::Cursor;

use image::codecs::png::PngDecoder;
use image::{DynamicImage, ImageDecoder, Limits};

use super::DecodeError;

/// A PNG with its header read.
pub(super) struct Png<'a>(PngDecoder<Cursor<&'a [u8]>>);

impl<'a> Png<'a> {
    pub(super) fn open(bytes: &'a [u8], max_pixels: u64) -> Result<Self, DecodeError> {
        let mut limits = Limits::default();
        // Rgba16 is the widest, and the decoder may hold it twice.
        limits.max_alloc = Some(max_pixels.saturating_mul(16).saturating_add(1 << 20));
        PngDecoder::with_limits(Cursor::new(bytes), limits)
            .map(Self)
            .map_err(|e| refused(&e))
    }

    pub(super) fn size(&self) -> (u32, u32) {
        self.0.dimensions()
    }

    /// The orientation of an eXIf chunk, 1 where there is none.
    pub(super) fn orientation(&mut self) -> u8 {
        self.0.orientation().map_or(1, image::metadata::Orientation::to_exif)
    }

    pub(super) fn rgb(self) -> Result<Vec<u8>, DecodeError> {
        let image = DynamicImage::from_decoder(self.0).map_err(|e| refused(&e))?;
        Ok(image.into_rgb8().into_raw())
    }
}

fn refused(error: &image::ImageError) -> DecodeError {
    DecodeError::Png(error.to_string())
}
