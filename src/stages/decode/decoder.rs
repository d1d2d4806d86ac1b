//! From a sample's bytes to the pixels of a region of its frame.

use super::frame::Geometry;
use super::jpeg::{Jpeg, mend};
use super::large;
use super::opened::Opened;
use super::resize::Resize;
use super::{DecodeError, Frame, Region};
use crate::dataset::Encoded;

/// How many times more pixels than wanted libjpeg must leave, each way, when it shrinks an image: 3/2. On 150 photographs of
/// ImageNet the mean difference from a resize of the whole was 3.3 of 255 at a gap of 1, about 2 at 3/2, 1.4 to 1.8 beyond 2.
const LEAST_GAP: (u64, u64) = (3, 2);

/// What an image takes that is large unless said otherwise.
pub const LARGE: u64 = 64 << 20;

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
    /// Images of more pixels are refused before memory is taken for them, and so are those that would take more memory than
    /// three bytes for each of so many.
    pub max_pixels: u64,
    /// Images that take more bytes are decoded one at a time, by all decoders together, and their memory is given back.
    pub large: u64,
}

impl Options {
    /// Bytes that decoding one image may take.
    pub fn most_bytes(&self) -> u64 {
        self.max_pixels.saturating_mul(3)
    }
}

impl Default for Options {
    fn default() -> Self {
        // Where Pillow calls an image a decompression bomb: half a GiB of RGB. A header of 20 bytes can claim 65500 by 65500,
        // 13 GB.
        Self {
            shorter_side: None,
            square: false,
            dct_scaling: true,
            exif: true,
            max_pixels: 178_956_970,
            large: LARGE,
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
    tools: Tools,
    /// A JPEG without what libjpeg refuses without need.
    mended: Vec<u8>,
}

impl Decoder {
    /// A decoder that does to every image what `options` say.
    pub fn new(options: Options) -> Result<Self, DecodeError> {
        Ok(Self {
            options,
            tools: Tools {
                jpeg: Jpeg::new(options.max_pixels)?,
                resize: Resize::new(),
                decoded: Vec::new(),
                unturned: Vec::new(),
            },
            mended: Vec::new(),
        })
    }

    /// Reads the header alone: the size of the frame in which crops are drawn.
    pub fn open(&mut self, encoded: Encoded<'_>) -> Result<Frame, DecodeError> {
        let (_, geometry) = self.opened(encoded)?;
        Ok(geometry.frame)
    }

    /// Bytes that decoding the whole image takes, beside those that it is stored in, and the size of the frame.
    pub fn takes(&mut self, encoded: Encoded<'_>) -> Result<(u64, Frame), DecodeError> {
        let (opened, geometry) = self.opened(encoded)?;
        Ok((opened.takes(geometry.whole()), geometry.frame))
    }

    fn opened<'a>(&'a mut self, encoded: Encoded<'a>) -> Result<(Opened<'a>, Geometry), DecodeError> {
        let (options, jpeg) = (&self.options, &mut self.tools.jpeg);
        match Opened::new(options, jpeg, encoded) {
            Ok(opened) => Ok(opened),
            Err(error) => Opened::new(options, jpeg, mend(encoded, &mut self.mended).ok_or(error)?),
        }
    }

    /// Whether an image of this size, stored as exactly its pixels, is a frame as it is: then there is nothing to decode.
    pub fn keeps(&self, frame: Frame) -> bool {
        let geometry = Geometry::new((frame.width, frame.height), 1, &self.options);
        geometry.is_ok_and(|geometry| geometry.resized == geometry.stored && geometry.frame == frame)
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
    ///
    /// What libjpeg refuses is tried again without that which harms no pixel, if there is something of the kind.
    pub fn choose<'o>(
        &mut self,
        encoded: Encoded<'_>,
        trust: Trust,
        choose: impl FnOnce(Frame) -> Result<Choice<'o>, DecodeError>,
    ) -> Result<(), DecodeError> {
        let Self { options, tools, mended } = self;
        let (mut is_mended, mut opened) = (false, Opened::new(options, &mut tools.jpeg, encoded));
        if let Err(error) = opened {
            let encoded = mend(encoded, mended).ok_or(error)?;
            (is_mended, opened) = (true, Opened::new(options, &mut tools.jpeg, encoded));
        }
        let (opened, geometry) = opened?;
        let Choice { region, size, out } = choose(geometry.frame)?;
        let wish = Wish::new(options, geometry, trust, (region, size), out.len())?;
        match tools.render(opened, &wish, out) {
            Err(error @ DecodeError::Jpeg(_)) if !is_mended => {
                let encoded = mend(encoded, mended).ok_or(error)?;
                match Opened::new(options, &mut tools.jpeg, encoded)? {
                    (opened, geometry) if geometry == wish.geometry => tools.render(opened, &wish, out),
                    // Somebody writes to the bytes.
                    _ => Err(DecodeError::Jpeg("its size changes while it is read".into())),
                }
            }
            result => result,
        }
    }
}

/// What is wanted of an image, before it is turned.
struct Wish {
    geometry: Geometry,
    trust: Trust,
    /// Which part of the resized image.
    part: Region,
    /// To which size it is scaled.
    size: (u32, u32),
    is_resized: bool,
    dct_scaling: bool,
    large: u64,
}

impl Wish {
    /// For a region of the frame and the size to which it is scaled, in `bytes` bytes.
    fn new(
        options: &Options,
        geometry: Geometry,
        trust: Trust,
        (region, size): (Region, (u32, u32)),
        bytes: usize,
    ) -> Result<Self, DecodeError> {
        let part = geometry.before_turning(region)?;
        let (width, height) = size;
        let want = Region::whole(Frame { width, height }).bytes();
        if bytes != want {
            return Err(DecodeError::Buffer { got: bytes, want });
        }
        let size = geometry.stored_size(size);
        Ok(Self {
            geometry,
            trust,
            part,
            size,
            is_resized: geometry.resized != geometry.stored || size != (part.width, part.height),
            dct_scaling: options.dct_scaling,
            large: options.large,
        })
    }
}

/// What images are decoded with, one after the other.
struct Tools {
    jpeg: Jpeg,
    resize: Resize,
    /// RGB of the stored image, or of a region that encloses the wanted one.
    decoded: Vec<u8>,
    /// The wanted region before it is turned.
    unturned: Vec<u8>,
}

impl Tools {
    /// Writes what is wanted of an image into `out`.
    fn render(&mut self, mut opened: Opened<'_>, wish: &Wish, out: &mut [u8]) -> Result<(), DecodeError> {
        let Wish { geometry, part, .. } = wish;
        let mut stored = geometry.stored;
        if let Opened::Jpeg(image) = &mut opened
            && wish.is_resized
            && wish.dct_scaling
        {
            *image = image.scaled(shrink(geometry, *part, wish.size));
            stored = image.size();
        }
        let source = if wish.is_resized {
            self.resize.prepare(stored, geometry.resized, *part, wish.size)
        } else {
            *part
        };
        if opened.takes(source) <= wish.large {
            return self.fill(opened, source, wish, out);
        }
        let turn = large::turn();
        let filled = self.fill(opened, source, wish, out);
        (self.decoded, self.unturned) = Default::default();
        self.jpeg.give_back();
        drop(turn);
        filled
    }

    /// Decodes `source`, a part of the stored image, and makes of it what is wanted.
    fn fill(&mut self, opened: Opened<'_>, source: Region, wish: &Wish, out: &mut [u8]) -> Result<(), DecodeError> {
        let Self {
            jpeg,
            resize,
            decoded,
            unturned,
        } = self;
        let Wish { geometry, part, .. } = wish;
        // Whether what is decoded is what is wanted.
        let fits = |lies_at: Region| lies_at == *part && geometry.turn.is_none() && !wish.is_resized;
        let (pixels, lies_at) = if let Opened::Rgb(pixels) = opened {
            (pixels, geometry.whole())
        } else {
            let (direct, buffer) = (&mut *out, &mut *decoded);
            let lies_at = opened.decode(jpeg, geometry, source, wish.trust, move |lies_at| {
                if fits(lies_at) {
                    return direct;
                }
                buffer.resize(lies_at.bytes(), 0);
                buffer
            })?;
            if fits(lies_at) {
                return Ok(());
            }
            (&**decoded, lies_at)
        };
        let mut fit = |out: &mut [u8]| {
            if wish.is_resized {
                resize.rgb(pixels, lies_at, out);
            } else {
                cut(pixels, lies_at, *part, out);
            }
        };
        if geometry.turn.is_none() {
            fit(out);
        } else {
            unturned.resize(out.len(), 0);
            fit(unturned);
            geometry.turn.apply(unturned, wish.size.0, out);
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

/// Copies `wanted` out of pixels that lie at `lies_at`, both in the same image.
fn cut(pixels: &[u8], lies_at: Region, wanted: Region, out: &mut [u8]) {
    let (pitch, row_bytes) = (3 * lies_at.width as usize, 3 * wanted.width as usize);
    let left = 3 * (wanted.x - lies_at.x) as usize;
    let rows = pixels.chunks_exact(pitch).skip((wanted.y - lies_at.y) as usize);
    for (row, out) in rows.zip(out.chunks_exact_mut(row_bytes)) {
        out.copy_from_slice(&row[left..left + row_bytes]);
    }
}
