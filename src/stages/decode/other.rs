//! BMP, GIF, TIFF and WebP, by the `image` crate: the first image of several. Alpha is dropped, 16 bits become 8.

use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;
use image::codecs::gif::GifDecoder;
use image::codecs::tiff::TiffDecoder;
use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ImageDecoder, ImageError, ImageResult, Limits};

use super::sniff;
use super::{DecodeError, exif};

/// An image with its header read.
pub(super) struct Other<'a> {
    kind: sniff::Other,
    orientation: u8,
    decoder: Box<dyn ImageDecoder + 'a>,
}

impl<'a> Other<'a> {
    pub(super) fn open(kind: sniff::Other, bytes: &'a [u8], max_pixels: u64) -> Result<Self, DecodeError> {
        let mut limits = Limits::default();
        limits.max_alloc = Some(max_pixels.saturating_mul(3));
        let opened = || {
            let mut decoder = decoder(kind, Cursor::new(bytes))?;
            decoder.set_limits(limits)?;
            Ok(decoder)
        };
        let mut decoder: Box<dyn ImageDecoder> = opened().map_err(|error| refused(kind, error))?;
        let orientation = if kind == sniff::Other::Tiff {
            // EXIF blocks have this format; here it is the whole file.
            exif::of_tiff(bytes)
        } else {
            let block = decoder.exif_metadata().ok().flatten().unwrap_or_default();
            exif::of_tiff(block.strip_prefix(b"Exif\0\0").unwrap_or(&block))
        };
        Ok(Self {
            kind,
            orientation: orientation.unwrap_or(1),
            decoder,
        })
    }

    pub(super) fn size(&self) -> (u32, u32) {
        self.decoder.dimensions()
    }

    /// The EXIF orientation; 1 if there is none.
    pub(super) fn orientation(&self) -> u8 {
        self.orientation
    }

    /// The most bytes that decoding takes, in addition to the RGB pixels.
    pub(super) fn held(&self) -> u64 {
        let (stored, (width, height)) = (self.decoder.total_bytes(), self.size());
        match self.kind {
            sniff::Other::Bmp => stored,
            // GIF: a frame and the canvas. TIFF: the pixels as stored and as converted.
            sniff::Other::Gif | sniff::Other::Tiff => stored.saturating_mul(2),
            // Planes, a frame and the canvas.
            sniff::Other::WebP => stored.saturating_add(8 * u64::from(width) * u64::from(height)),
        }
    }

    /// All pixels, as RGB.
    pub(super) fn rgb(self) -> Result<Vec<u8>, DecodeError> {
        let image = DynamicImage::from_decoder(self.decoder).map_err(|error| refused(self.kind, error))?;
        Ok(image.into_rgb8().into_raw())
    }
}

fn decoder<'a>(kind: sniff::Other, reader: Cursor<&'a [u8]>) -> ImageResult<Box<dyn ImageDecoder + 'a>> {
    Ok(match kind {
        sniff::Other::Bmp => Box::new(BmpDecoder::new(reader)?),
        sniff::Other::Gif => Box::new(GifDecoder::new(reader)?),
        sniff::Other::Tiff => Box::new(TiffDecoder::new(reader)?),
        sniff::Other::WebP => Box::new(WebPDecoder::new(reader)?),
    })
}

fn refused(kind: sniff::Other, error: ImageError) -> DecodeError {
    let state = match error {
        ImageError::Unsupported(_) | ImageError::Limits(_) => "unsupported",
        _ => "damaged",
    };
    DecodeError::Other {
        state,
        format: kind.name(),
        reason: error.to_string(),
    }
}
