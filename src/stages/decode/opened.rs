//! An image of any format whose header has been read.

use super::geometry::{Geometry, limit};
use super::jpeg::{Image, Jpeg, grey_to_rgb};
use super::other::Other;
use super::png::Png;
use super::ppm::Head;
use super::sniff::{Kind, sniff};
use super::{DecodeError, Frame, Options, Region, Trust, exif};
use crate::dataset::Encoded;

pub(super) enum Opened<'a> {
    Jpeg(Image<'a>),
    Png(Box<Png<'a>>),
    Other(Other<'a>),
    Grey(&'a [u8]),
    /// Raw pixels, used in place.
    Rgb(&'a [u8]),
}

impl<'a> Opened<'a> {
    /// Detects the format and reads the header.
    pub(super) fn new(
        options: &Options,
        jpeg: &mut Jpeg,
        encoded: Encoded<'a>,
    ) -> Result<(Self, Geometry), DecodeError> {
        let bytes = match encoded {
            Encoded::File(bytes) => bytes,
            Encoded::Grey { width, height, pixels } => {
                return Ok((Opened::Grey(pixels), of_pixels(width, height, 1, pixels, options)?));
            }
            Encoded::Rgb { width, height, pixels } => {
                return Ok((Opened::Rgb(pixels), of_pixels(width, height, 3, pixels, options)?));
            }
        };
        let max_pixels = options.max_pixels;
        let (opened, size, orientation) = match sniff(bytes)? {
            Kind::Jpeg => {
                let image = jpeg.open(bytes)?;
                let orientation = if options.exif { exif::of_jpeg(bytes) } else { 1 };
                (Opened::Jpeg(image), image.size(), orientation)
            }
            Kind::Png => {
                let png = Png::open(bytes, max_pixels)?;
                let (size, orientation) = (png.size(), png.orientation());
                (Opened::Png(Box::new(png)), size, orientation)
            }
            Kind::Ppm => {
                let Head { frame, pixels_at } = Head::read(bytes, bytes.len())?;
                (Opened::Rgb(&bytes[pixels_at..]), (frame.width, frame.height), 1)
            }
            Kind::Other(kind) => {
                let other = Other::open(kind, bytes, max_pixels)?;
                let (size, orientation) = (other.size(), other.orientation());
                (Opened::Other(other), size, orientation)
            }
        };
        let geometry = Geometry::new(size, orientation, options)?;
        opened.check_memory(size, max_pixels)?;
        Ok((opened, geometry))
    }

    /// Refuses images that would take more memory than the largest allowed RGB image, whatever part is wanted.
    fn check_memory(&self, size: (u32, u32), max_pixels: u64) -> Result<(), DecodeError> {
        let (width, height) = (u64::from(size.0), u64::from(size.1));
        let takes = self.takes(Region::whole(Frame {
            width: size.0,
            height: size.1,
        }));
        let pixels = width * height;
        let most = u128::from(max_pixels) * 3 * u128::from(pixels) / u128::from(takes.max(1));
        let what = if let Opened::Jpeg(_) = self {
            "a JPEG of this kind (progressive, CMYK or 12 bits)"
        } else {
            "an image of this format"
        };
        limit(what, width, height, (most as u64).min(max_pixels))
    }

    /// Bytes that decoding `wanted` takes.
    pub(super) fn takes(&self, wanted: Region) -> u64 {
        let rgb = |(width, height)| Region::whole(Frame { width, height }).bytes() as u64;
        match self {
            Opened::Jpeg(image) => image.enclosing(wanted, Trust::Unknown).bytes() as u64 + image.held(),
            Opened::Png(png) => png.enclosing(wanted).bytes() as u64,
            Opened::Other(other) => rgb(other.size()).saturating_add(other.held()),
            Opened::Grey(pixels) => 3 * pixels.len() as u64,
            Opened::Rgb(_) => 0,
        }
    }

    /// Decodes a region that contains `wanted` into the buffer that `buffer` returns for it, and returns that region.
    /// `geometry` is the image's.
    pub(super) fn decode<'o>(
        self,
        jpeg: &mut Jpeg,
        geometry: &Geometry,
        wanted: Region,
        trust: Trust,
        buffer: impl FnOnce(Region) -> &'o mut [u8],
    ) -> Result<Region, DecodeError> {
        let whole = geometry.whole();
        match self {
            Opened::Jpeg(image) => return jpeg.decode(&image, wanted, trust, buffer),
            Opened::Png(png) => return png.decode(wanted, buffer),
            Opened::Other(other) => buffer(whole).copy_from_slice(&other.rgb()?),
            Opened::Rgb(pixels) => buffer(whole).copy_from_slice(pixels),
            Opened::Grey(pixels) => grey_to_rgb(pixels, buffer(whole)),
        }
        Ok(whole)
    }
}

/// The geometry of raw pixels of `channels` bytes, if their number is right.
fn of_pixels(
    width: u32,
    height: u32,
    channels: usize,
    pixels: &[u8],
    options: &Options,
) -> Result<Geometry, DecodeError> {
    let geometry = Geometry::new((width.max(1), height.max(1)), 1, options)?;
    let want = channels * geometry.stored.0 as usize * geometry.stored.1 as usize;
    if pixels.len() != want {
        return Err(DecodeError::Buffer {
            got: pixels.len(),
            want,
        });
    }
    Ok(geometry)
}
