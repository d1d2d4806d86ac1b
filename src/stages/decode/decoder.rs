//! From a sample's bytes to the pixels of a region of its frame.

use super::cmyk;
use super::exif;
use super::fallback::Png;
use super::frame::Geometry;
use super::jpeg::{Colour, Header, Jpeg};
use super::resize::Resize;
use super::sniff::{Kind, sniff};
use super::{DecodeError, Frame, Region};
use crate::dataset::Encoded;

/// What is done to every image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Resize so that the shorter side has this length, up or down; the aspect ratio stays.
    pub shorter_side: Option<u32>,
    /// The frame is the central square of the (resized) image.
    pub square: bool,
    /// Turn images upright as their EXIF orientation says.
    pub exif: bool,
    /// Images of more pixels are refused before memory is taken for them.
    pub max_pixels: u64,
}

impl Default for Options {
    fn default() -> Self {
        // Where Pillow calls an image a decompression bomb: 2/3 of a GiB of RGB. A header of 20 bytes can claim 65500
        // by 65500, 13 GB.
        Self {
            shorter_side: None,
            square: false,
            exif: true,
            max_pixels: 178_956_970,
        }
    }
}

/// One worker's decoder: it keeps its buffers, so that an image costs no allocation once they have grown.
pub struct Decoder {
    options: Options,
    jpeg: Jpeg,
    resize: Resize,
    buffers: Buffers,
}

#[derive(Default)]
struct Buffers {
    /// A JPEG without the junk in its header.
    repaired: Vec<u8>,
    /// Pixels as libjpeg gives them, where these are not RGB.
    cmyk: Vec<u8>,
    wide: Vec<i16>,
    /// RGB of the stored image, or of a region that encloses the wanted one.
    decoded: Vec<u8>,
    /// The whole image, resized.
    resized: Vec<u8>,
    /// The region before it is turned.
    region: Vec<u8>,
}

/// An image whose header has been read.
enum Opened<'a> {
    Jpeg(&'a [u8], Header),
    Png(Box<Png<'a>>),
    Grey(&'a [u8]),
    Rgb(&'a [u8]),
}

impl Decoder {
    /// A decoder that does to every image what `options` say.
    pub fn new(options: Options) -> Result<Self, DecodeError> {
        let jpeg = Jpeg::new(options.max_pixels)?;
        Ok(Self {
            options,
            jpeg,
            resize: Resize::new(),
            buffers: Buffers::default(),
        })
    }

    /// Reads the header alone: the size of the frame in which crops are drawn.
    pub fn open(&mut self, encoded: Encoded<'_>) -> Result<Frame, DecodeError> {
        let Self {
            options, jpeg, buffers, ..
        } = self;
        open(options, jpeg, &mut buffers.repaired, encoded).map(|(_, geometry)| geometry.frame)
    }

    /// Decodes `region` of the frame into `out`: RGB, row by row, exactly the region's size.
    pub fn pixels(&mut self, encoded: Encoded<'_>, region: Region, out: &mut [u8]) -> Result<(), DecodeError> {
        let Self {
            options,
            jpeg,
            resize,
            buffers,
        } = self;
        let Buffers {
            repaired,
            cmyk,
            wide,
            decoded,
            resized,
            region: unturned,
        } = buffers;
        let (opened, geometry) = open(options, jpeg, repaired, encoded)?;
        let wanted = geometry.before_turning(region)?;
        if out.len() != region.bytes() {
            return Err(DecodeError::Buffer {
                got: out.len(),
                want: region.bytes(),
            });
        }
        let (width, height) = geometry.stored;
        let whole = Region {
            x: 0,
            y: 0,
            width,
            height,
        };
        let is_resized = geometry.resized != geometry.stored;
        let needed = match &opened {
            Opened::Jpeg(_, header) if !is_resized => header.enclosing(wanted),
            _ => whole,
        };
        if let Opened::Jpeg(bytes, header) = &opened
            && needed == wanted
            && geometry.turn.is_none()
            && (header.colour, header.precision, is_resized) == (Colour::Rgb, 8, false)
        {
            return jpeg.decode(bytes, header, needed, out);
        }
        // Raw pixels are never turned: they carry no orientation.
        if let Opened::Rgb(pixels) = opened
            && !is_resized
        {
            cut(pixels, whole, wanted, out);
            return Ok(());
        }
        match opened {
            Opened::Jpeg(bytes, header) => {
                decoded.resize(needed.bytes(), 0);
                decode_jpeg(jpeg, bytes, &header, needed, decoded, cmyk, wide)?;
            }
            Opened::Png(png) => *decoded = png.rgb()?,
            Opened::Grey(pixels) => {
                decoded.clear();
                decoded.extend(pixels.iter().flat_map(|&grey| [grey; 3]));
            }
            Opened::Rgb(pixels) => {
                decoded.clear();
                decoded.extend_from_slice(pixels);
            }
        }
        let (pixels, lies_at) = if is_resized {
            resize.rgb(decoded, geometry.stored, geometry.resized, resized);
            (
                &*resized,
                Region {
                    x: 0,
                    y: 0,
                    width: geometry.resized.0,
                    height: geometry.resized.1,
                },
            )
        } else {
            (&*decoded, needed)
        };
        if geometry.turn.is_none() {
            cut(pixels, lies_at, wanted, out);
        } else {
            unturned.resize(wanted.bytes(), 0);
            cut(pixels, lies_at, wanted, unturned);
            geometry.turn.apply(unturned, wanted.width, out);
        }
        Ok(())
    }
}

/// Finds out what the bytes are and reads the header.
fn open<'a>(
    options: &Options,
    jpeg: &mut Jpeg,
    repaired: &'a mut Vec<u8>,
    encoded: Encoded<'a>,
) -> Result<(Opened<'a>, Geometry), DecodeError> {
    let bytes = match encoded {
        Encoded::File(bytes) => bytes,
        Encoded::Grey { width, height, pixels } => {
            return Ok((Opened::Grey(pixels), raw(width, height, 1, pixels, options)?));
        }
        Encoded::Rgb { width, height, pixels } => {
            return Ok((Opened::Rgb(pixels), raw(width, height, 3, pixels, options)?));
        }
    };
    match sniff(bytes)? {
        Kind::Jpeg => {
            let (bytes, header) = match jpeg.header(bytes) {
                Ok(header) => (bytes, header),
                Err(error) if !exif::repair(bytes, repaired) => return Err(error),
                Err(_) => (&repaired[..], jpeg.header(repaired)?),
            };
            let orientation = if options.exif { exif::orientation(bytes) } else { 1 };
            let geometry = Geometry::new((header.width, header.height), orientation, options)?;
            Ok((Opened::Jpeg(bytes, header), geometry))
        }
        Kind::Png => {
            let mut png = Box::new(Png::open(bytes, options.max_pixels)?);
            let geometry = Geometry::new(png.size(), png.orientation(), options)?;
            Ok((Opened::Png(png), geometry))
        }
    }
}

/// The geometry of raw pixels, `channels` bytes each, if there are as many as their size says.
fn raw(width: u32, height: u32, channels: usize, pixels: &[u8], options: &Options) -> Result<Geometry, DecodeError> {
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

/// Decodes `region` of a JPEG to RGB, whatever its colours and bits.
fn decode_jpeg(
    jpeg: &mut Jpeg,
    bytes: &[u8],
    header: &Header,
    region: Region,
    out: &mut [u8],
    cmyk: &mut Vec<u8>,
    wide: &mut Vec<i16>,
) -> Result<(), DecodeError> {
    let pixels = region.width as usize * region.height as usize;
    let target = match header.colour {
        Colour::Rgb => &mut *out,
        Colour::Cmyk => {
            cmyk.resize(4 * pixels, 0);
            &mut cmyk[..]
        }
    };
    if header.precision == 12 {
        wide.resize(target.len(), 0);
        jpeg.decode12(bytes, header, wide)?;
        target
            .iter_mut()
            .zip(&*wide)
            .for_each(|(narrow, &wide)| *narrow = (wide >> 4) as u8);
    } else {
        jpeg.decode(bytes, header, region, target)?;
    }
    if header.colour == Colour::Cmyk {
        cmyk::to_rgb(cmyk, out);
    }
    Ok(())
}

/// Copies `wanted` out of pixels that lie at `lies_at`, both in the same image.
fn cut(pixels: &[u8], lies_at: Region, wanted: Region, out: &mut [u8]) {
    let (pitch, row_bytes) = (3 * lies_at.width as usize, 3 * wanted.width as usize);
    let left = 3 * (wanted.x - lies_at.x) as usize;
    let rows = pixels.chunks_exact(pitch).skip((wanted.y - lies_at.y) as usize);
    for (row, out) in rows.zip(out.chunks_exact_mut(row_bytes)) {
        out.copy_from_slice(&row[left..left + row_bytes]);
    }
}
