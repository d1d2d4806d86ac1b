//! The only wrapper around TurboJPEG's C interface.
//!
//! The raw interface and not the crate's safe one: only it refuses damaged data (`STOPONWARNING`; libjpeg's own way is
//! to fill in grey and go on), bounds memory, and decodes a part of the image.

use std::ffi::{CStr, c_int, c_void};
use std::ptr::NonNull;

use turbojpeg::raw;

use super::{DecodeError, Region, Trust};

/// More scans than any encoder writes (10 to 14 are usual): a small file of many scans would take minutes.
const MOST_SCANS: c_int = 100;

/// How a JPEG's colours are stored, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    /// Grey, YCbCr or RGB: libjpeg makes RGB of it.
    Rgb,
    /// CMYK or YCCK: libjpeg makes CMYK of it.
    Cmyk,
}

/// What a JPEG's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) colour: Colour,
    /// Bits a sample: 8 or 12.
    pub(super) precision: u32,
    /// The columns at which a part may begin, and how far upsampling looks across them; `None`: only the whole decodes.
    part: Option<Part>,
    /// Width and height are those of the image decoded at 1 / `shrink` of its size.
    shrink: u32,
    is_lossless: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    /// A part's left must be a multiple of this.
    step: u32,
    /// libjpeg's upsampling smooths across columns, so that a part's outermost columns differ from the whole's.
    smooth: bool,
}

/// A decompressor. Nothing passes from one image to the next.
pub(super) struct Jpeg {
    handle: NonNull<c_void>,
    max_pixels: u64,
}

// SAFETY: a TurboJPEG instance has no tie to the thread that made it; it is only used through &mut.
unsafe impl Send for Jpeg {}

impl Drop for Jpeg {
    fn drop(&mut self) {
        // SAFETY: the handle came from tj3Init and is not used after.
        unsafe { raw::tj3Destroy(self.handle.as_ptr()) }
    }
}

impl Jpeg {
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
        // Progressive images are held as 16-bit coefficients, at most four a pixel; the rest is working space.
        let megabytes = max_pixels.saturating_mul(8) / (1 << 20) + 64;
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

    /// libjpeg's reason for the last failure, without the C function's name.
    fn reason(&mut self) -> String {
        // SAFETY: the handle is live, and the string lies in it until the next call; it is copied here.
        let reason = unsafe { CStr::from_ptr(raw::tj3GetErrorStr(self.handle.as_ptr())) }.to_string_lossy();
        let reason = reason.split_once("(): ").map_or(&*reason, |(_, reason)| reason);
        reason
            .strip_prefix("Corrupt JPEG data: ")
            .unwrap_or(reason)
            .replace('\n', " ")
    }

    pub(super) fn header(&mut self, bytes: &[u8]) -> Result<Header, DecodeError> {
        // A fresh instance: TurboJPEG keeps quantisation and Huffman tables from the image before, so that one that
        // lacks its own would decode with them, and after a failure in a header it goes on from there with the next
        // image. What an image becomes must not depend on what this worker decoded before it. Costs 3 µs.
        *self = Self::new(self.max_pixels)?;
        // SAFETY: the handle is live, pointer and length are a slice's, which outlives the call.
        if unsafe { raw::tj3DecompressHeader(self.handle.as_ptr(), bytes.as_ptr(), bytes.len() as _) } != 0 {
            return Err(DecodeError::Jpeg(self.reason()));
        }
        let (width, height) = (
            self.get(raw::TJPARAM_TJPARAM_JPEGWIDTH),
            self.get(raw::TJPARAM_TJPARAM_JPEGHEIGHT),
        );
        let (Ok(width @ 1..), Ok(height @ 1..)) = (u32::try_from(width), u32::try_from(height)) else {
            return Err(DecodeError::Jpeg("it holds tables but no image".into()));
        };
        let colour = match self.get(raw::TJPARAM_TJPARAM_COLORSPACE) as raw::TJCS {
            raw::TJCS_TJCS_CMYK | raw::TJCS_TJCS_YCCK => Colour::Cmyk,
            _ => Colour::Rgb,
        };
        let precision = self.get(raw::TJPARAM_TJPARAM_PRECISION) as u32;
        if precision != 8 && precision != 12 {
            return Err(DecodeError::UnsupportedJpeg(format!(
                "{precision} bits a sample; 8 and 12 can be decoded"
            )));
        }
        let is_lossless = self.get(raw::TJPARAM_TJPARAM_LOSSLESS) != 0;
        let parts = precision == 8 && colour == Colour::Rgb && !is_lossless;
        let part = match self.get(raw::TJPARAM_TJPARAM_SUBSAMP) {
            raw::TJSAMP_TJSAMP_444 | raw::TJSAMP_TJSAMP_440 | raw::TJSAMP_TJSAMP_GRAY => Some((8, false)),
            raw::TJSAMP_TJSAMP_420 | raw::TJSAMP_TJSAMP_422 => Some((16, true)),
            raw::TJSAMP_TJSAMP_411 => Some((32, false)),
            _ => None,
        };
        let part = part.filter(|_| parts).map(|(step, smooth)| Part { step, smooth });
        Ok(Header {
            width,
            height,
            colour,
            precision,
            part,
            shrink: 1,
            is_lossless,
        })
    }

    /// Whether libjpeg, too, finds the size that `header` says in these bytes, which are a part of the image whose header was
    /// read last: its tables are the same.
    pub(super) fn agrees(&mut self, bytes: &[u8], header: &Header) -> bool {
        // SAFETY: as in `header`.
        let failed = unsafe { raw::tj3DecompressHeader(self.handle.as_ptr(), bytes.as_ptr(), bytes.len() as _) };
        let stored =
            [raw::TJPARAM_TJPARAM_JPEGWIDTH, raw::TJPARAM_TJPARAM_JPEGHEIGHT].map(|size| self.get(size) as u32);
        failed == 0 && stored.map(|length| length.div_ceil(header.shrink)) == [header.width, header.height]
    }

    /// Decodes 8-bit data to RGB or CMYK: `region` of the image whose header was read last, which must be one that
    /// [`Header::enclosing`] gave.
    pub(super) fn decode(
        &mut self,
        bytes: &[u8],
        header: &Header,
        region: Region,
        out: &mut [u8],
    ) -> Result<(), DecodeError> {
        let (format, channels) = header.format();
        let pitch = region.width as usize * channels;
        assert_eq!(out.len(), pitch * region.height as usize, "the caller sizes the buffer");
        if header.shrink > 1 {
            self.set_shrink(header.shrink)?;
        }
        let whole = region.width == header.width && region.height == header.height;
        if !whole {
            self.set_part(region)?;
        }
        // SAFETY: the handle is live; `bytes` is a live slice that nobody writes to, and since its header is what
        // `header` says, TurboJPEG writes `region.height` rows of `pitch` bytes, which is what `out` has.
        let failed = unsafe {
            let (out, pitch) = (out.as_mut_ptr(), pitch as c_int);
            raw::tj3Decompress8(
                self.handle.as_ptr(),
                bytes.as_ptr(),
                bytes.len() as _,
                out,
                pitch,
                format,
            )
        };
        if failed == 0 {
            Ok(())
        } else {
            Err(DecodeError::Jpeg(self.reason()))
        }
    }

    /// Decodes 12-bit data whole, in the same shape.
    pub(super) fn decode12(&mut self, bytes: &[u8], header: &Header, out: &mut [i16]) -> Result<(), DecodeError> {
        let (format, channels) = header.format();
        let pitch = header.width as usize * channels;
        assert_eq!(out.len(), pitch * header.height as usize, "the caller sizes the buffer");
        // SAFETY: as in `decode`; the pitch counts samples of 16 bits.
        let failed = unsafe {
            let (out, pitch) = (out.as_mut_ptr(), pitch as c_int);
            raw::tj3Decompress12(
                self.handle.as_ptr(),
                bytes.as_ptr(),
                bytes.len() as _,
                out,
                pitch,
                format,
            )
        };
        if failed == 0 {
            Ok(())
        } else {
            Err(DecodeError::Jpeg(self.reason()))
        }
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

impl Header {
    /// TurboJPEG's pixel format and its bytes a pixel.
    fn format(&self) -> (raw::TJPF, usize) {
        match self.colour {
            Colour::Rgb => (raw::TJPF_TJPF_RGB, 3),
            Colour::Cmyk => (raw::TJPF_TJPF_CMYK, 4),
        }
    }

    /// The same image, decoded at 1 / `shrink` of its size (1, 2, 4 or 8). Not everything can be.
    pub(super) fn scaled(&self, shrink: u32) -> Self {
        if self.precision != 8 || self.is_lossless {
            return *self;
        }
        Self {
            width: self.width.div_ceil(shrink),
            height: self.height.div_ceil(shrink),
            part: self.part.map(|part| Part {
                step: part.step / shrink,
                ..part
            }),
            shrink,
            ..*self
        }
    }

    /// By how much less than it is stored the image is decoded.
    pub(super) fn shrink(&self) -> u32 {
        self.shrink
    }

    /// The header of a part of this image that is a JPEG of its own.
    pub(super) fn of_part(&self, width: u32, height: u32) -> Self {
        Self { width, height, ..*self }
    }

    /// The smallest region that holds `wanted`, can be decoded on its own, has exactly the whole's pixels inside
    /// `wanted`, and is refused exactly when the whole is.
    ///
    /// For the last it reaches to the bottom unless the bytes are known to be good: libjpeg does not look at what follows
    /// a part, so that whether a cut file is refused would depend on where the crop was drawn.
    pub(super) fn enclosing(&self, wanted: Region, trust: Trust) -> Region {
        let Some(Part { step, smooth }) = self.part else {
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
