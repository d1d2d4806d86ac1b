//! JPEG: libjpeg-turbo decodes and judges the images. This module reads what libjpeg does not tell, and mends what it refuses
//! needlessly.

mod cmyk;
mod frame_header;
mod image;
mod markers;
mod splice;
mod mend;
mod tiles;
mod turbo;
mod walk;

use super::{DecodeError, Region, Trust};
use image::Colour;
use markers::APP1;
use splice::splice;
use turbo::Turbo;

pub(super) use image::Image;
pub(super) use mend::mend;

/// A JPEG decoder. It keeps its buffers and nothing else from one image to the next.
pub(super) struct Jpeg {
    turbo: Turbo,
    /// A JPEG of the tiles that a region needs.
    spliced: Vec<u8>,
    /// Pixels in libjpeg's format, if that is not RGB.
    narrow: Vec<u8>,
    wide: Vec<i16>,
}

impl Jpeg {
    pub(super) fn new(max_pixels: u64) -> Result<Self, DecodeError> {
        Ok(Self {
            turbo: Turbo::new(max_pixels)?,
            spliced: Vec::new(),
            narrow: Vec::new(),
            wide: Vec::new(),
        })
    }

    /// Reads the header.
    pub(super) fn open<'a>(&mut self, bytes: &'a [u8]) -> Result<Image<'a>, DecodeError> {
        self.turbo.open(bytes)
    }

    /// Decodes a region that contains `wanted` to RGB, whatever the image's colours and bits, into the buffer that `buffer`
    /// returns for it, and returns that region. The image must be the one that was opened last.
    pub(super) fn decode<'o>(
        &mut self,
        image: &Image<'_>,
        wanted: Region,
        trust: Trust,
        buffer: impl FnOnce(Region) -> &'o mut [u8],
    ) -> Result<Region, DecodeError> {
        let Self {
            turbo,
            spliced,
            narrow,
            wide,
        } = self;
        let (mut image, mut origin) = (*image, (0, 0));
        if trust == Trust::Verified
            && let Some(part) = splice(&image, wanted, spliced)
        {
            if let Some(smaller) = turbo.part(&image, spliced, part) {
                (image, origin) = (smaller, (part.x, part.y));
            } else {
                turbo.open(image.bytes())?;
            }
        }
        let region = image.enclosing(wanted.relative_to(origin), trust);
        let lies_at = region.offset_by(origin);
        let out = buffer(lies_at);
        if (image.stored.colour, image.stored.precision) == (Colour::Rgb, 8) {
            turbo.decode(&image, region, out)?;
            return Ok(lies_at);
        }
        narrow.resize(image.stored.colour.channels() * (out.len() / 3), 0);
        if image.stored.precision == 12 {
            wide.resize(narrow.len(), 0);
            turbo.decode12(&image, wide)?;
            let all = narrow.iter_mut().zip(&*wide);
            all.for_each(|(narrow, &wide)| *narrow = (wide >> 4) as u8);
        } else {
            turbo.decode(&image, region, narrow)?;
        }
        match image.stored.colour {
            Colour::Rgb => out.copy_from_slice(narrow),
            Colour::Cmyk => cmyk::to_rgb(narrow, out),
            Colour::Grey => grey_to_rgb(narrow, out),
        }
        Ok(lies_at)
    }

    /// Frees the buffers.
    pub(super) fn give_back(&mut self) {
        (self.spliced, self.narrow, self.wide) = Default::default();
        self.turbo.give_back();
    }
}

/// The EXIF blocks of a JPEG, as TIFFs.
pub(super) fn exif_blocks(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let blocks = markers::header(bytes).filter(|segment| segment.marker == APP1);
    // A zero follows the name, then a byte that should be zero but is not always.
    blocks.filter_map(|block| block.payload.strip_prefix(b"Exif\0")?.get(1..))
}

/// Expands grey values to pixels.
pub(super) fn grey_to_rgb(grey: &[u8], rgb: &mut [u8]) {
    let pixels = rgb.chunks_exact_mut(3).zip(grey);
    pixels.for_each(|(pixel, &grey)| pixel.fill(grey));
}
