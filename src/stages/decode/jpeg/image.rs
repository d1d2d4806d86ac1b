//! What a JPEG's header says about the image.

use super::super::{Frame, Region, Trust};
use super::frame_header::{Part, Way};

/// How a JPEG's colours come out of libjpeg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    /// RGB, from grey, YCbCr or RGB.
    Rgb,
    /// CMYK, from CMYK or YCCK.
    Cmyk,
    /// Grey, if libjpeg does not convert it to RGB.
    Grey,
}

impl Colour {
    /// Samples per pixel.
    pub(super) fn channels(self) -> usize {
        match self {
            Self::Rgb => 3,
            Self::Cmyk => 4,
            Self::Grey => 1,
        }
    }
}

/// What a JPEG's header says, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    /// Width and height.
    pub(super) size: (u32, u32),
    pub(super) colour: Colour,
    /// Bits per sample: 8 or 12.
    pub(super) precision: u32,
    pub(super) is_lossless: bool,
    /// Whether TurboJPEG can decode a region of it.
    pub(super) has_regions: bool,
}

/// A JPEG whose header has been read.
#[derive(Clone, Copy, Debug)]
pub(in crate::stages::decode) struct Image<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) stored: Stored,
    /// The decoded width and height: 1 / `shrink` of the stored ones.
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) shrink: u32,
    pub(super) way: Way,
}

impl<'a> Image<'a> {
    /// The JPEG.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The decoded width and height.
    pub(in crate::stages::decode) fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// The whole image.
    pub(super) fn whole(&self) -> Region {
        let (width, height) = self.size();
        Region::whole(Frame { width, height })
    }

    /// Bytes that libjpeg holds while decoding, plus the pixels in libjpeg's format if that is not RGB.
    pub(in crate::stages::decode) fn held(&self) -> u64 {
        let samples = match (self.stored.colour, self.stored.precision) {
            (Colour::Rgb, 8) => 0,
            (colour, precision) => colour.channels() as u64 * if precision == 8 { 1 } else { 2 },
        };
        self.way.held + samples * u64::from(self.width) * u64::from(self.height)
    }

    /// The same image, decoded at 1 / `shrink` of its size (1, 2, 4 or 8). Some images stay as they are.
    pub(in crate::stages::decode) fn scaled(&self, shrink: u32) -> Self {
        if self.stored.precision != 8 || self.stored.is_lossless {
            return *self;
        }
        let part = self.way.part.map(|part| Part {
            step: part.step / shrink,
            ..part
        });
        Self {
            width: self.width.div_ceil(shrink),
            height: self.height.div_ceil(shrink),
            way: Way { part, ..self.way },
            shrink,
            ..*self
        }
    }

    /// By how much the image is shrunk while it is decoded.
    pub(super) fn shrink(&self) -> u32 {
        self.shrink
    }

    /// The smallest region that contains `wanted`, can be decoded on its own, has exactly the pixels of the whole inside
    /// `wanted`, and is refused exactly when the whole image is.
    ///
    /// Because of the last it extends to the bottom unless the bytes are known to be good: libjpeg does not read what follows
    /// a region, so whether a truncated file is refused would depend on the crop.
    pub(in crate::stages::decode) fn enclosing(&self, wanted: Region, trust: Trust) -> Region {
        let Some(Part { step, smooth }) = self.way.part else {
            return self.whole();
        };
        let (before, after) = if smooth { (step, 2) } else { (0, 0) };
        let x = (wanted.x / step * step).saturating_sub(before);
        let right = (wanted.x + wanted.width + after).min(self.width);
        Region {
            x,
            y: wanted.y,
            width: right - x,
            height: match trust {
                Trust::Verified => wanted.height,
                Trust::Unknown => self.height - wanted.y,
            },
        }
    }
}
