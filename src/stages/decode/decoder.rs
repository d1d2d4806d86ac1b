//! From a sample's bytes to the pixels of a region of its frame.

use super::cmyk;
use super::exif;
use super::fallback::Png;
use super::frame::Geometry;
use super::jpeg::{Colour, Header, Jpeg};
use super::ppm;
use super::raw;
use super::resize::Resize;
use super::sniff::{Kind, sniff};
use super::splice::Splice;
use super::{DecodeError, Frame, Region};
use crate::dataset::Encoded;

/// How many times more pixels than wanted libjpeg must leave, each way, when it shrinks an image: 3/2. On 150 photographs of
/// ImageNet the mean difference from a resize of the whole was 3.3 of 255 at a gap of 1, about 2 at 3/2, 1.4 to 1.8 beyond 2.
const LEAST_GAP: (u64, u64) = (3, 2);

/// What is done to every image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Resize so that the shorter side has this length, up or down; the aspect ratio stays.
    pub shorter_side: Option<u32>,
    /// The frame is the central square of the (resized) image.
    pub square: bool,
    /// Let libjpeg decode at 1/2, 1/4 or 1/8 of the size where an image is made far smaller.
    pub dct_scaling: bool,
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
            dct_scaling: true,
            exif: true,
            max_pixels: 178_956_970,
        }
    }
}

/// What is known of the bytes to be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Nothing: all of them are read, so that an image is refused or not whatever part of it is wanted.
    Unknown,
    /// They are those of an image that was decoded whole before: only what the wanted part needs is read.
    Verified,
}

/// A part of a frame, and where its pixels go.
pub struct Choice<'o> {
    /// Which part.
    pub region: Region,
    /// To which size it is scaled.
    pub size: (u32, u32),
    /// RGB, row by row, exactly `size`.
    pub out: &'o mut [u8],
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
    /// A JPEG of the tiles that a region needs.
    spliced: Vec<u8>,
    /// Pixels as libjpeg gives them, where these are not RGB.
    cmyk: Vec<u8>,
    wide: Vec<i16>,
    /// RGB of the stored image, or of a region that encloses the wanted one.
    decoded: Vec<u8>,
    /// The region before it is turned.
    region: Vec<u8>,
}

/// An image whose header has been read.
enum Opened<'a> {
    Jpeg(&'a [u8], Header),
    Png(Box<Png<'a>>),
    Grey(&'a [u8]),
    /// Pixels where they lie.
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

    /// The frame, where the sample is stored as exactly its pixels: then there is nothing to decode.
    pub fn in_place(&self, encoded: Encoded<'_>) -> Option<Frame> {
        let (frame, _) = raw(encoded)?;
        let geometry = Geometry::new((frame.width, frame.height), 1, &self.options).ok()?;
        (geometry.resized == geometry.stored && geometry.frame == frame).then_some(frame)
    }

    /// Decodes `region` of the frame into `out`: RGB, row by row, exactly the region's size.
    pub fn pixels(&mut self, encoded: Encoded<'_>, region: Region, out: &mut [u8]) -> Result<(), DecodeError> {
        self.scaled(encoded, Trust::Unknown, region, (region.width, region.height), out)
    }

    /// Decodes `region` of the frame, scaled to `size`, into `out`.
    pub fn scaled(
        &mut self,
        encoded: Encoded<'_>,
        trust: Trust,
        region: Region,
        size: (u32, u32),
        out: &mut [u8],
    ) -> Result<(), DecodeError> {
        self.choose(encoded, trust, |_| Ok(Choice { region, size, out }))
    }

    /// Decodes what `choose` wants when it knows the frame: the header is read once.
    pub fn choose<'o>(
        &mut self,
        encoded: Encoded<'_>,
        trust: Trust,
        choose: impl FnOnce(Frame) -> Result<Choice<'o>, DecodeError>,
    ) -> Result<(), DecodeError> {
        let Self {
            options,
            jpeg,
            resize,
            buffers,
        } = self;
        let Buffers {
            repaired,
            spliced,
            cmyk,
            wide,
            decoded,
            region: unturned,
        } = buffers;
        let (mut opened, geometry) = open(options, jpeg, repaired, encoded)?;
        let Choice { region, size, out } = choose(geometry.frame)?;
        let wanted = geometry.before_turning(region)?;
        let (width, height) = size;
        let target = Region {
            width,
            height,
            ..region
        };
        if out.len() != target.bytes() {
            return Err(DecodeError::Buffer {
                got: out.len(),
                want: target.bytes(),
            });
        }
        let size = geometry.stored_size(size);
        let is_resized = geometry.resized != geometry.stored || size != (wanted.width, wanted.height);
        let mut stored = geometry.stored;
        if let Opened::Jpeg(_, header) = &mut opened
            && is_resized
            && options.dct_scaling
        {
            *header = header.scaled(shrink(&geometry, wanted, size));
            stored = (header.width, header.height);
        }
        let source = if is_resized {
            resize.prepare(stored, geometry.resized, wanted, size)
        } else {
            wanted
        };
        // Where the bytes to be decoded lie in the image.
        let mut origin = (0, 0);
        if let Opened::Jpeg(bytes, header) = &mut opened
            && trust == Trust::Verified
            && let Some(splice) = Splice::make(bytes, header, source, spliced)
        {
            if jpeg.agrees(spliced, &splice.header) {
                (*bytes, *header, origin) = (spliced, splice.header, (splice.x, splice.y));
            } else {
                jpeg.header(bytes)?;
            }
        }
        let needed = match &opened {
            Opened::Jpeg(_, header) => header.enclosing(source.moved_back(origin), trust),
            Opened::Png(_) | Opened::Rgb(_) | Opened::Grey(_) => geometry.whole(),
        };
        let lies_at = needed.moved(origin);
        if let Opened::Jpeg(bytes, header) = &opened
            && lies_at == wanted
            && geometry.turn.is_none()
            && (header.colour, header.precision, is_resized) == (Colour::Rgb, 8, false)
        {
            return jpeg.decode(bytes, header, needed, out);
        }
        let pixels: &[u8] = match opened {
            Opened::Jpeg(bytes, header) => {
                decoded.resize(needed.bytes(), 0);
                decode_jpeg(jpeg, bytes, &header, needed, decoded, cmyk, wide)?;
                decoded
            }
            Opened::Png(png) => {
                *decoded = png.rgb()?;
                decoded
            }
            Opened::Rgb(pixels) => pixels,
            Opened::Grey(pixels) => {
                decoded.clear();
                decoded.extend(pixels.iter().flat_map(|&grey| [grey; 3]));
                decoded
            }
        };
        let mut fit = |out: &mut [u8]| {
            if is_resized {
                resize.rgb(pixels, lies_at, out);
            } else {
                cut(pixels, lies_at, wanted, out);
            }
        };
        if geometry.turn.is_none() {
            fit(out);
        } else {
            unturned.resize(out.len(), 0);
            fit(unturned);
            geometry.turn.apply(unturned, size.0, out);
        }
        Ok(())
    }
}

/// By how much libjpeg may shrink an image while it decodes it: [`LEAST_GAP`] times as many pixels as are wanted must be
/// left.
fn shrink(geometry: &Geometry, wanted: Region, size: (u32, u32)) -> u32 {
    let enough = |by: u32, stored: u32, resized: u32, part: u32, out: u32| {
        // part of `resized` pixels are part · stored / resized of the stored image.
        LEAST_GAP.1 * u64::from(part) * u64::from(stored)
            >= LEAST_GAP.0 * u64::from(by) * u64::from(out) * u64::from(resized)
    };
    let fits = |by: &u32| {
        enough(*by, geometry.stored.0, geometry.resized.0, wanted.width, size.0)
            && enough(*by, geometry.stored.1, geometry.resized.1, wanted.height, size.1)
    };
    [8, 4, 2].into_iter().find(fits).unwrap_or(1)
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
            return Ok((Opened::Grey(pixels), of_pixels(width, height, 1, pixels, options)?));
        }
        Encoded::Rgb { width, height, pixels } => {
            return Ok((Opened::Rgb(pixels), of_pixels(width, height, 3, pixels, options)?));
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
        Kind::Ppm => {
            let ppm = ppm::open(bytes)?;
            let geometry = Geometry::new((ppm.width, ppm.height), 1, options)?;
            Ok((Opened::Rgb(ppm.pixels), geometry))
        }
    }
}

/// The geometry of raw pixels, `channels` bytes each, if there are as many as their size says.
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
