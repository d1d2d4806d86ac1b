//! Decodes a sample's bytes to the pixels of a region of its frame.

use super::geometry::Geometry;
use super::jpeg::{Jpeg, mend};
use super::large;
use super::opened::Opened;
use super::options::{Options, Trust};
use super::resize::Resize;
use super::{DecodeError, Frame, Region};
use crate::dataset::Encoded;

/// When libjpeg shrinks an image, it must leave this many times the wanted pixels along each side: 3/2. On 150 photographs of
/// ImageNet the mean difference from a resize of the whole was 3.3 of 255 at factor 1, about 2 at 3/2, 1.4 to 1.8 beyond 2.
const LEAST_GAP: (u64, u64) = (3, 2);

/// A part of a frame, and the buffer for its pixels.
pub struct Choice<'o> {
    /// The part.
    pub region: Region,
    /// The size to which it is scaled.
    pub size: (u32, u32),
    /// RGB, row by row, exactly `size`.
    pub out: &'o mut [u8],
}

/// One worker's decoder. It keeps its buffers: once they have grown, an image costs no allocation.
pub struct Decoder {
    options: Options,
    tools: Tools,
    /// A mended copy of a JPEG that libjpeg refuses needlessly.
    mended: Vec<u8>,
}

impl Decoder {
    /// A decoder that applies `options` to every image.
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

    /// Reads only the header: the size of the frame in which crops are drawn.
    pub fn open(&mut self, encoded: Encoded<'_>) -> Result<Frame, DecodeError> {
        let (_, geometry) = self.opened(encoded)?;
        Ok(geometry.frame)
    }

    /// Bytes that decoding the whole image takes, in addition to the encoded bytes, and the size of the frame.
    pub fn takes(&mut self, encoded: Encoded<'_>) -> Result<(u64, Frame), DecodeError> {
        let (opened, geometry) = self.opened(encoded)?;
        Ok((opened.takes(geometry.whole()), geometry.frame))
    }

    fn opened<'a>(&'a mut self, encoded: Encoded<'a>) -> Result<(Opened<'a>, Geometry), DecodeError> {
        let (options, jpeg) = (&self.options, &mut self.tools.jpeg);
        match Opened::new(options, jpeg, encoded) {
            Ok(opened) => Ok(opened),
            Err(error) => Opened::new(
                options,
                jpeg,
                mend(encoded, options.max_pixels, &mut self.mended).ok_or(error)?,
            ),
        }
    }

    /// Whether raw pixels of this size already are the frame: then there is nothing to decode.
    pub fn keeps(&self, frame: Frame) -> bool {
        let geometry = Geometry::new((frame.width, frame.height), 1, &self.options);
        geometry.is_ok_and(|geometry| geometry.resized == geometry.stored && geometry.frame == frame)
    }

    /// Decodes `region` of the frame into `out`: RGB, row by row, exactly the region's size.
    pub fn pixels(&mut self, encoded: Encoded<'_>, region: Region, out: &mut [u8]) -> Result<(), DecodeError> {
        self.scaled(encoded, Trust::Unknown, region, (region.width, region.height), out)
    }

    /// Decodes the whole frame into `out`, and returns its size.
    pub fn whole(&mut self, encoded: Encoded<'_>, out: &mut Vec<u8>) -> Result<Frame, DecodeError> {
        let frame = self.open(encoded)?;
        let whole = Region::whole(frame);
        out.resize(whole.bytes(), 0);
        self.pixels(encoded, whole, out)?;
        Ok(frame)
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

    /// Decodes the part that `choose` returns for the frame. The header is read only once.
    ///
    /// If libjpeg refuses an image, a copy without harmless faults is tried, if there are any.
    pub fn choose<'o>(
        &mut self,
        encoded: Encoded<'_>,
        trust: Trust,
        choose: impl FnOnce(Frame) -> Result<Choice<'o>, DecodeError>,
    ) -> Result<(), DecodeError> {
        let Self { options, tools, mended } = self;
        let (mut is_mended, mut opened) = (false, Opened::new(options, &mut tools.jpeg, encoded));
        if let Err(error) = opened {
            let encoded = mend(encoded, options.max_pixels, mended).ok_or(error)?;
            (is_mended, opened) = (true, Opened::new(options, &mut tools.jpeg, encoded));
        }
        let (opened, geometry) = opened?;
        let Choice { region, size, out } = choose(geometry.frame)?;
        let wish = Wish::new(options, geometry, trust, (region, size), out.len())?;
        match tools.render(opened, &wish, out) {
            Err(error @ DecodeError::Jpeg(_)) if !is_mended => {
                let encoded = mend(encoded, options.max_pixels, mended).ok_or(error)?;
                match Opened::new(options, &mut tools.jpeg, encoded)? {
                    (opened, geometry) if geometry == wish.geometry => tools.render(opened, &wish, out),
                    // Another process is writing to the file.
                    _ => Err(DecodeError::Jpeg("its size changed while it was read".into())),
                }
            }
            result => result,
        }
    }
}

/// The wanted part of an image, before it is turned.
struct Wish {
    geometry: Geometry,
    trust: Trust,
    /// The part of the resized image.
    part: Region,
    /// The size to which it is scaled.
    size: (u32, u32),
    is_resized: bool,
    dct_scaling: bool,
    large: u64,
}

impl Wish {
    /// A region of the frame, and the size to which it is scaled, for a buffer of `bytes` bytes.
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

/// The tools that decode one image after another.
struct Tools {
    jpeg: Jpeg,
    resize: Resize,
    /// RGB of the stored image, or of a region that contains the wanted one.
    decoded: Vec<u8>,
    /// The wanted region before it is turned.
    unturned: Vec<u8>,
}

impl Tools {
    /// Writes the wanted part of an image into `out`.
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

    /// Decodes `source`, a part of the stored image, and turns it into the wanted part.
    fn fill(&mut self, opened: Opened<'_>, source: Region, wish: &Wish, out: &mut [u8]) -> Result<(), DecodeError> {
        let Self {
            jpeg,
            resize,
            decoded,
            unturned,
        } = self;
        let Wish { geometry, part, .. } = wish;
        // Whether the decoded region already is the wanted part.
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

/// By how much libjpeg may shrink an image while decoding it: [`LEAST_GAP`] times the wanted pixels must be left.
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

/// Copies `wanted` out of the pixels of `lies_at`. Both are regions of the same image.
fn cut(pixels: &[u8], lies_at: Region, wanted: Region, out: &mut [u8]) {
    let (pitch, row_bytes) = (3 * lies_at.width as usize, 3 * wanted.width as usize);
    let left = 3 * (wanted.x - lies_at.x) as usize;
    let rows = pixels.chunks_exact(pitch).skip((wanted.y - lies_at.y) as usize);
    for (row, out) in rows.zip(out.chunks_exact_mut(row_bytes)) {
        out.copy_from_slice(&row[left..left + row_bytes]);
    }
}
