//! PNG, row by row: an image takes three bytes per pixel, however it is stored. Alpha is dropped, 16 bits become 8.

use std::io::Cursor;

use ::png::{BitDepth, Decoder, Info, InterlaceInfo, Reader, Transformations, expand_interlaced_row};

use super::{DecodeError, Frame, Region, exif, geometry};

/// The most pixels per row: several rows are held as they are stored, and an image of one row could have all its pixels there.
const MAX_IN_A_ROW: u64 = 1 << 20;

/// A PNG with its header read.
pub(super) struct Png<'a> {
    bytes: &'a [u8],
    reader: Reader<Cursor<&'a [u8]>>,
}

impl<'a> Png<'a> {
    pub(super) fn open(bytes: &'a [u8], max_pixels: u64) -> Result<Self, DecodeError> {
        let mut decoder = Decoder::new(Cursor::new(bytes));
        // Neither is used, and both may be compressed.
        decoder.set_ignore_text_chunk(true);
        decoder.set_ignore_iccp_chunk(true);
        // Expands palettes, and fewer than eight bits.
        decoder.set_transformations(Transformations::EXPAND);
        limit(decoder.read_header_info().map_err(refused)?, max_pixels)?;
        let reader = decoder.read_info().map_err(refused)?;
        let png = Self { bytes, reader };
        // The first frame of an animation.
        let first = png.reader.info().frame_control;
        if first.is_some_and(|first| (first.width, first.height) != png.size()) {
            return Err(DecodeError::Png("its first frame and the image differ in size".into()));
        }
        Ok(png)
    }

    pub(super) fn size(&self) -> (u32, u32) {
        self.reader.info().size()
    }

    /// The orientation in an eXIf chunk, which may be behind the pixels; 1 if there is none.
    pub(super) fn orientation(&self) -> u8 {
        let mut rest = self.bytes.get(8..).unwrap_or_default();
        while let Some((length, chunk)) = rest.split_first_chunk() {
            let length = u32::from_be_bytes(*length) as usize;
            let Some((kind, data)) = chunk.split_first_chunk::<4>() else {
                break;
            };
            if kind == b"eXIf" {
                let data = data.get(..length).unwrap_or(data);
                // Some writers put the name in front that JPEGs need.
                return exif::of_tiff(data.strip_prefix(b"Exif\0\0").unwrap_or(data)).unwrap_or(1);
            }
            // A checksum follows the data.
            rest = data.get(length.saturating_add(4)..).unwrap_or_default();
        }
        1
    }

    /// The region that is decoded for `wanted`: all of an interlaced image, which comes in seven passes.
    pub(super) fn enclosing(&self, wanted: Region) -> Region {
        let (width, height) = self.size();
        if self.reader.info().interlaced {
            Region::whole(Frame { width, height })
        } else {
            wanted
        }
    }

    /// Decodes a region that contains `wanted` into the buffer that `buffer` returns for it, and returns that region. All rows
    /// are read, so that whether an image is refused does not depend on the wanted part.
    pub(super) fn decode<'o>(
        mut self,
        wanted: Region,
        buffer: impl FnOnce(Region) -> &'o mut [u8],
    ) -> Result<Region, DecodeError> {
        let ((width, _), region) = (self.size(), self.enclosing(wanted));
        let out = buffer(region);
        let (colour, depth) = self.reader.output_color_type();
        let pixel = Pixel {
            samples: colour.samples(),
            is_wide: depth == BitDepth::Sixteen,
        };
        let mut line = Vec::new();
        let mut y = 0;
        while let Some(row) = self.reader.next_interlaced_row().map_err(refused)? {
            if let InterlaceInfo::Adam7(place) = row.interlace() {
                line.resize(3 * (row.data().len() / pixel.bytes()), 0);
                pixel.to_rgb(row.data(), &mut line);
                expand_interlaced_row(out, 3 * width as usize, &line, place, 24);
            } else if (region.y..region.y + region.height).contains(&y) {
                let pitch = 3 * region.width as usize;
                let out = &mut out[(y - region.y) as usize * pitch..][..pitch];
                pixel.to_rgb(&row.data()[region.x as usize * pixel.bytes()..], out);
            }
            y += 1;
        }
        Ok(region)
    }
}

/// The layout of a pixel in a decoded row.
#[derive(Clone, Copy)]
struct Pixel {
    /// 1 to 4: grey, grey and alpha, RGB, or RGB and alpha.
    samples: usize,
    /// Whether each has 16 bits.
    is_wide: bool,
}

impl Pixel {
    fn bytes(self) -> usize {
        self.samples * if self.is_wide { 2 } else { 1 }
    }

    /// Fills `rgb` with as many pixels as it has room for.
    fn to_rgb(self, row: &[u8], rgb: &mut [u8]) {
        let pixels = row.chunks_exact(self.bytes()).zip(rgb.chunks_exact_mut(3));
        match (self.samples, self.is_wide) {
            (1 | 2, false) => pixels.for_each(|(pixel, rgb)| rgb.fill(pixel[0])),
            (1 | 2, true) => pixels.for_each(|(pixel, rgb)| rgb.fill(narrow(pixel))),
            (_, false) => pixels.for_each(|(pixel, rgb)| rgb.copy_from_slice(&pixel[..3])),
            (_, true) => pixels.for_each(|(pixel, rgb)| {
                let samples = rgb.iter_mut().zip(pixel.chunks_exact(2));
                samples.for_each(|(value, sample)| *value = narrow(sample));
            }),
        }
    }
}

/// A sample of 16 bits, rounded to 8.
fn narrow(wide: &[u8]) -> u8 {
    ((u32::from(u16::from_be_bytes([wide[0], wide[1]])) + 128) / 257) as u8
}

/// Whether the image is small enough to be decoded.
fn limit(info: &Info<'_>, max_pixels: u64) -> Result<(), DecodeError> {
    let (width, height) = (u64::from(info.width), u64::from(info.height));
    geometry::limit("a row", width, 1, MAX_IN_A_ROW)?;
    geometry::limit("an image", width, height, max_pixels)
}

fn refused(error: ::png::DecodingError) -> DecodeError {
    DecodeError::Png(error.to_string())
}
