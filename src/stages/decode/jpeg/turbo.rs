//! The only wrapper around TurboJPEG's C interface.
//!
//! The raw interface and not the crate's safe one: only it refuses damaged data (`STOPONWARNING`; libjpeg's own way is
//! to fill in grey and go on), bounds memory, and decodes a part of the image.

use std::ffi::{CStr, c_int, c_void};
use std::ptr::NonNull;

use turbojpeg::raw;

use super::super::{DecodeError, Region, Trust};
use super::frame_header::{Part, Way};

/// More scans than any encoder writes (10 to 14 are usual): a small file of many scans would take minutes.
const MOST_SCANS: c_int = 100;

/// How libjpeg's reasons begin that say nothing against an image but that it cannot be decoded here.
const UNSUPPORTED: [&str; 10] = [
    "CCIR601 sampling",
    "Could not determine colorspace",
    "Empty JPEG image (DNL",
    "Fractional sampling",
    "Memory limit exceeded",
    "Requested feature",
    "Sorry, ",
    "Too many color components",
    "Unsupported JPEG ",
    "Unsupported color ",
];

/// How a JPEG's colours come out of libjpeg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    /// RGB, of grey, YCbCr or RGB.
    Rgb,
    /// CMYK, of CMYK or YCCK.
    Cmyk,
    /// Grey, where it makes no RGB of it.
    Grey,
}

impl Colour {
    /// Samples of a pixel.
    pub(super) fn channels(self) -> usize {
        match self {
            Self::Rgb => 3,
            Self::Cmyk => 4,
            Self::Grey => 1,
        }
    }
}

/// A JPEG whose header was read: these bytes, and what libjpeg found in them. Only [`Turbo`] makes one, so that a header never
/// stands for other bytes than its own.
#[derive(Clone, Copy, Debug)]
pub(in crate::stages::decode) struct Image<'a> {
    bytes: &'a [u8],
    width: u32,
    height: u32,
    pub(super) colour: Colour,
    /// Bits a sample: 8 or 12.
    pub(super) precision: u32,
    way: Way,
    /// Width and height are those of the image decoded at 1 / `shrink` of its size.
    shrink: u32,
    is_lossless: bool,
}

/// A decompressor. Nothing passes from one image to the next.
pub(super) struct Turbo {
    handle: NonNull<c_void>,
    max_pixels: u64,
}

// SAFETY: a TurboJPEG instance has no tie to the thread that made it; it is only used through &mut.
unsafe impl Send for Turbo {}

impl Drop for Turbo {
    fn drop(&mut self) {
        // SAFETY: the handle came from tj3Init and is not used after.
        unsafe { raw::tj3Destroy(self.handle.as_ptr()) }
    }
}

impl Turbo {
    pub(super) fn new(max_pixels: u64) -> Result<Self, DecodeError> {
        // SAFETY: no pointers; null means failure.
        let handle = unsafe { raw::tj3Init(raw::TJINIT_TJINIT_DECOMPRESS as c_int) };
        let handle = NonNull::new(handle).ok_or_else(|| DecodeError::Setup("out of memory".into()))?;
        let mut jpeg = Self { handle, max_pixels };
        jpeg.set(raw::TJPARAM_TJPARAM_STOPONWARNING, 1)?;
        jpeg.set(raw::TJPARAM_TJPARAM_SCANLIMIT, MOST_SCANS)?;
        jpeg.set(
            raw::TJPARAM_TJPARAM_MAXPIXELS,
            c_int::try_from(max_pixels).unwrap_or(c_int::MAX),
        )?;
        // What an image may take (`Options::max_pixels`), and working space.
        let megabytes = max_pixels.saturating_mul(3) / (1 << 20) + 64;
        jpeg.set(
            raw::TJPARAM_TJPARAM_MAXMEMORY,
            c_int::try_from(megabytes).unwrap_or(c_int::MAX),
        )?;
        // Colour profiles are not used: do not copy them.
        jpeg.set(raw::TJPARAM_TJPARAM_SAVEMARKERS, 0)?;
        Ok(jpeg)
    }

    fn set(&mut self, parameter: raw::TJPARAM, value: c_int) -> Result<(), DecodeError> {
        // SAFETY: the handle is live; a wrong parameter or value is answered by -1.
        match unsafe { raw::tj3Set(self.handle.as_ptr(), parameter as c_int, value) } {
            0 => Ok(()),
            _ => Err(DecodeError::Setup(self.reason())),
        }
    }

    fn get(&mut self, parameter: raw::TJPARAM) -> c_int {
        // SAFETY: the handle is live.
        unsafe { raw::tj3Get(self.handle.as_ptr(), parameter as c_int) }
    }

    /// Why libjpeg refused the last image: its reason, without the C function's name.
    fn refused(&mut self) -> DecodeError {
        let reason = self.reason();
        if UNSUPPORTED.iter().any(|start| reason.starts_with(start)) {
            DecodeError::UnsupportedJpeg(reason)
        } else {
            DecodeError::Jpeg(reason)
        }
    }

    fn reason(&mut self) -> String {
        // SAFETY: the handle is live, and the string lies in it until the next call; it is copied here.
        let reason = unsafe { CStr::from_ptr(raw::tj3GetErrorStr(self.handle.as_ptr())) }.to_string_lossy();
        let reason = reason.split_once("(): ").map_or(&*reason, |(_, reason)| reason);
        reason
            .strip_prefix("Corrupt JPEG data: ")
            .unwrap_or(reason)
            .replace('\n', " ")
    }

    /// Reads the header.
    pub(super) fn open<'a>(&mut self, bytes: &'a [u8]) -> Result<Image<'a>, DecodeError> {
        // A fresh instance: TurboJPEG keeps quantisation and Huffman tables from the image before, so that one that
        // lacks its own would decode with them, and after a failure in a header it goes on from there with the next
        // image. What an image becomes must not depend on what this worker decoded before it. Costs 3 µs.
        *self = Self::new(self.max_pixels)?;
        let (width, height) = self.read_header(bytes)?;
        let is_lossless = self.get(raw::TJPARAM_TJPARAM_LOSSLESS) != 0;
        let colour = match self.get(raw::TJPARAM_TJPARAM_COLORSPACE) as raw::TJCS {
            raw::TJCS_TJCS_CMYK => Colour::Cmyk,
            raw::TJCS_TJCS_YCCK | raw::TJCS_TJCS_YCbCr if is_lossless => {
                return Err(DecodeError::UnsupportedJpeg("lossless, but not in RGB".into()));
            }
            raw::TJCS_TJCS_YCCK => Colour::Cmyk,
            // libjpeg converts nothing that is lossless.
            raw::TJCS_TJCS_GRAY if is_lossless => Colour::Grey,
            _ => Colour::Rgb,
        };
        let precision = self.get(raw::TJPARAM_TJPARAM_PRECISION) as u32;
        if precision != 8 && precision != 12 {
            return Err(DecodeError::UnsupportedJpeg(format!(
                "{precision} bits a sample; 8 and 12 can be decoded"
            )));
        }
        let mut way = Way::of(bytes);
        if precision != 8 || colour != Colour::Rgb {
            way.part = None;
        }
        Ok(Image {
            bytes,
            width,
            height,
            colour,
            precision,
            way,
            shrink: 1,
            is_lossless,
        })
    }

    /// `bytes` as a JPEG of its own, if libjpeg, too, finds it to be as large as `part`, which they are of the image whose
    /// header was read last: its tables are the same.
    pub(super) fn part<'a>(&mut self, image: &Image<'_>, bytes: &'a [u8], part: Region) -> Option<Image<'a>> {
        let (width, height) = self.read_header(bytes).ok()?;
        let size = [width, height].map(|length| length.div_ceil(image.shrink));
        (size == [part.width, part.height]).then_some(Image {
            bytes,
            width: part.width,
            height: part.height,
            ..*image
        })
    }

    /// Width and height as they are stored.
    fn read_header(&mut self, bytes: &[u8]) -> Result<(u32, u32), DecodeError> {
        // SAFETY: the handle is live, pointer and length are a slice's, which outlives the call.
        if unsafe { raw::tj3DecompressHeader(self.handle.as_ptr(), bytes.as_ptr(), bytes.len() as _) } != 0 {
            return Err(self.refused());
        }
        let size = [raw::TJPARAM_TJPARAM_JPEGWIDTH, raw::TJPARAM_TJPARAM_JPEGHEIGHT].map(|length| self.get(length));
        match size.map(u32::try_from) {
            [Ok(width @ 1..), Ok(height @ 1..)] => Ok((width, height)),
            _ => Err(DecodeError::Jpeg("it holds tables but no image".into())),
        }
    }

    /// Decodes 8-bit data in the image's colour: `region` of it, which must be one that [`Image::enclosing`] gave. Its header
    /// must be the one that was read last.
    pub(super) fn decode(&mut self, image: &Image<'_>, region: Region, out: &mut [u8]) -> Result<(), DecodeError> {
        let pitch = region.width as usize * image.colour.channels();
        assert_eq!(out.len(), pitch * region.height as usize, "the caller sizes the buffer");
        if image.shrink > 1 {
            self.set_shrink(image.shrink)?;
        }
        let is_whole = region.width == image.width && region.height == image.height;
        if !is_whole {
            self.set_part(region)?;
        }
        let (bytes, format) = (image.bytes, image.format());
        // SAFETY: the handle is live. The image's bytes are a live slice, which nobody writes to: what lies in mapped files was
        // copied out of them (`Dataset::read`). So TurboJPEG finds the header again that it found in `open`, and writes
        // `region.height` rows of `pitch` bytes, which is what `out` has. A part, moreover, it checks against the
        // header that it finds, and fails where they do not fit.
        let failed = unsafe {
            let (out, pitch) = (out.as_mut_ptr(), pitch as c_int);
            raw::tj3Decompress8(
                self.handle.as_ptr(),
                bytes.as_ptr(),
                bytes.len() as _,
                out,
                pitch,
                format as c_int,
            )
        };
        if failed == 0 { Ok(()) } else { Err(self.refused()) }
    }

    /// Decodes 12-bit data whole, in the same shape.
    pub(super) fn decode12(&mut self, image: &Image<'_>, out: &mut [i16]) -> Result<(), DecodeError> {
        let pitch = image.width as usize * image.colour.channels();
        assert_eq!(out.len(), pitch * image.height as usize, "the caller sizes the buffer");
        let (bytes, format) = (image.bytes, image.format());
        // SAFETY: as in `decode`; the pitch counts samples of 16 bits.
        let failed = unsafe {
            let (out, pitch) = (out.as_mut_ptr(), pitch as c_int);
            raw::tj3Decompress12(
                self.handle.as_ptr(),
                bytes.as_ptr(),
                bytes.len() as _,
                out,
                pitch,
                format as c_int,
            )
        };
        if failed == 0 { Ok(()) } else { Err(self.refused()) }
    }

    fn set_shrink(&mut self, shrink: u32) -> Result<(), DecodeError> {
        let factor = raw::tjscalingfactor {
            num: 1,
            denom: shrink as c_int,
        };
        // SAFETY: the handle is live; a factor that libjpeg does not have is answered by -1.
        match unsafe { raw::tj3SetScalingFactor(self.handle.as_ptr(), factor) } {
            0 => Ok(()),
            _ => Err(DecodeError::Setup(self.reason())),
        }
    }

    fn set_part(&mut self, part: Region) -> Result<(), DecodeError> {
        let [x, y, w, h] = [part.x, part.y, part.width, part.height].map(|length| length as c_int);
        // SAFETY: the handle is live; a part outside the image is answered by -1.
        match unsafe { raw::tj3SetCroppingRegion(self.handle.as_ptr(), raw::tjregion { x, y, w, h }) } {
            0 => Ok(()),
            _ => Err(DecodeError::Setup(self.reason())),
        }
    }
}

impl<'a> Image<'a> {
    /// The JPEG.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Width and height, as it is decoded.
    pub(in crate::stages::decode) fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Bytes that libjpeg holds while it decodes it, and those of a pixel as it gives them, where that is not RGB.
    pub(in crate::stages::decode) fn held(&self) -> u64 {
        let samples = match (self.colour, self.precision) {
            (Colour::Rgb, 8) => 0,
            (colour, precision) => colour.channels() as u64 * if precision == 8 { 1 } else { 2 },
        };
        self.way.held + samples * u64::from(self.width) * u64::from(self.height)
    }

    /// TurboJPEG's pixel format.
    fn format(&self) -> raw::TJPF {
        match self.colour {
            Colour::Rgb => raw::TJPF_TJPF_RGB,
            Colour::Cmyk => raw::TJPF_TJPF_CMYK,
            Colour::Grey => raw::TJPF_TJPF_GRAY,
        }
    }

    /// The same image, decoded at 1 / `shrink` of its size (1, 2, 4 or 8). Not everything can be.
    pub(in crate::stages::decode) fn scaled(&self, shrink: u32) -> Self {
        if self.precision != 8 || self.is_lossless {
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

    /// By how much less than it is stored the image is decoded.
    pub(super) fn shrink(&self) -> u32 {
        self.shrink
    }

    /// The smallest region that holds `wanted`, can be decoded on its own, has exactly the whole's pixels inside
    /// `wanted`, and is refused exactly when the whole is.
    ///
    /// For the last it reaches to the bottom unless the bytes are known to be good: libjpeg does not look at what follows
    /// a part, so that whether a cut file is refused would depend on where the crop was drawn.
    pub(in crate::stages::decode) fn enclosing(&self, wanted: Region, trust: Trust) -> Region {
        let Some(Part { step, smooth }) = self.way.part else {
            return Region {
                x: 0,
                y: 0,
                width: self.width,
                height: self.height,
            };
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
