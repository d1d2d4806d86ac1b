//! The only wrapper around TurboJPEG's C interface.
//!
//! It uses the raw interface instead of the crate's safe one: only that can refuse damaged data (`STOPONWARNING`; by default
//! libjpeg fills in grey and continues), bound the memory, and decode a part of the image.

use std::ffi::{CStr, c_int, c_void};
use std::ptr::NonNull;

use turbojpeg::raw;

use super::super::{DecodeError, Region};
use super::frame_header::Way;
use super::image::{Colour, Image, Stored};

/// More scans than any encoder writes (10 to 14 are usual). Without a limit, a small file of many scans would take minutes.
const MAX_SCANS: c_int = 100;

/// The beginnings of libjpeg's messages for images that are not damaged but not supported.
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

/// A decompressor. It keeps nothing from one image to the next.
pub(super) struct Turbo {
    handle: NonNull<c_void>,
    max_pixels: u64,
    /// A copy of a JPEG.
    copy: Vec<u8>,
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
        let mut jpeg = Self {
            handle,
            max_pixels,
            copy: Vec::new(),
        };
        jpeg.set(raw::TJPARAM_TJPARAM_STOPONWARNING, 1)?;
        jpeg.set(raw::TJPARAM_TJPARAM_SCANLIMIT, MAX_SCANS)?;
        jpeg.set(
            raw::TJPARAM_TJPARAM_MAXPIXELS,
            c_int::try_from(max_pixels).unwrap_or(c_int::MAX),
        )?;
        // What an image may take (`Options::max_pixels`), plus working space.
        let megabytes = max_pixels.saturating_mul(3) / (1 << 20) + 64;
        jpeg.set(
            raw::TJPARAM_TJPARAM_MAXMEMORY,
            c_int::try_from(megabytes).unwrap_or(c_int::MAX),
        )?;
        // Colour profiles are not used, so they are not copied.
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

    /// Why libjpeg refused the last image: its message, without the name of the C function.
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
        // A fresh instance, which costs 3 µs. TurboJPEG keeps the quantization and Huffman tables of the previous image, so an
        // image without its own would be decoded with those; and after a failure in a header it continues from there with the
        // next image. The result must not depend on what this worker decoded before.
        let mut fresh = Self::new(self.max_pixels)?;
        std::mem::swap(&mut fresh.copy, &mut self.copy);
        *self = fresh;
        let stored = self.stored(bytes)?;
        let mut way = Way::of(bytes);
        if stored.precision != 8 || stored.colour != Colour::Rgb || !stored.has_regions {
            way.part = None;
        }
        Ok(Image {
            bytes,
            stored,
            width: stored.size.0,
            height: stored.size.1,
            way,
            shrink: 1,
        })
    }

    /// `bytes` as a JPEG of its own: the part `part` of the image whose header was read last, with the same tables. `None` if
    /// libjpeg finds another size.
    pub(super) fn part<'a>(&mut self, image: &Image<'_>, bytes: &'a [u8], part: Region) -> Option<Image<'a>> {
        let stored = self.stored(bytes).ok()?;
        let size = [stored.size.0, stored.size.1].map(|length| length.div_ceil(image.shrink));
        let expected = Stored {
            size: stored.size,
            ..image.stored
        };
        (size == [part.width, part.height] && stored == expected).then_some(Image {
            bytes,
            stored,
            width: part.width,
            height: part.height,
            ..*image
        })
    }

    /// The contents of a header.
    fn stored(&mut self, bytes: &[u8]) -> Result<Stored, DecodeError> {
        // SAFETY: the handle is live, pointer and length are a slice's, which outlives the call.
        if unsafe { raw::tj3DecompressHeader(self.handle.as_ptr(), bytes.as_ptr(), bytes.len() as _) } != 0 {
            return Err(self.refused());
        }
        let size = [raw::TJPARAM_TJPARAM_JPEGWIDTH, raw::TJPARAM_TJPARAM_JPEGHEIGHT].map(|length| self.get(length));
        let [Ok(width @ 1..), Ok(height @ 1..)] = size.map(u32::try_from) else {
            return Err(DecodeError::Jpeg("it contains tables but no image".into()));
        };
        let is_lossless = self.get(raw::TJPARAM_TJPARAM_LOSSLESS) != 0;
        let colour = match self.get(raw::TJPARAM_TJPARAM_COLORSPACE) as raw::TJCS {
            raw::TJCS_TJCS_YCCK | raw::TJCS_TJCS_YCbCr if is_lossless => {
                return Err(DecodeError::UnsupportedJpeg("lossless, but not in RGB".into()));
            }
            raw::TJCS_TJCS_CMYK | raw::TJCS_TJCS_YCCK => Colour::Cmyk,
            // libjpeg does not convert lossless images.
            raw::TJCS_TJCS_GRAY if is_lossless => Colour::Grey,
            _ => Colour::Rgb,
        };
        let precision = self.get(raw::TJPARAM_TJPARAM_PRECISION) as u32;
        if precision != 8 && precision != 12 {
            return Err(DecodeError::UnsupportedJpeg(format!(
                "{precision} bits per sample; only 8 and 12 are supported"
            )));
        }
        Ok(Stored {
            size: (width, height),
            colour,
            precision,
            is_lossless,
            has_regions: !is_lossless && self.get(raw::TJPARAM_TJPARAM_SUBSAMP) >= 0,
        })
    }

    /// Decodes `region` of an 8-bit image in its own colours. The region must come from [`Image::enclosing`], and the image's
    /// header must be the one that was read last.
    pub(super) fn decode(&mut self, image: &Image<'_>, region: Region, out: &mut [u8]) -> Result<(), DecodeError> {
        let pitch = region.width as usize * image.stored.colour.channels();
        assert_eq!(out.len(), pitch * region.height as usize, "the caller sizes the buffer");
        self.bounded(image, region, |turbo, bytes| {
            // SAFETY: the handle is live, and so are both slices for as long as the call takes. TurboJPEG writes at most
            // `region.height` rows of `pitch` bytes, which is what `out` has: `bounded` has seen to that.
            unsafe {
                let (handle, out) = (turbo.handle.as_ptr(), out.as_mut_ptr());
                raw::tj3Decompress8(
                    handle,
                    bytes.as_ptr(),
                    bytes.len() as _,
                    out,
                    pitch as c_int,
                    format(image),
                )
            }
        })
    }

    /// Decodes a whole 12-bit image in the same layout.
    pub(super) fn decode12(&mut self, image: &Image<'_>, out: &mut [i16]) -> Result<(), DecodeError> {
        let pitch = image.width as usize * image.stored.colour.channels();
        assert_eq!(out.len(), pitch * image.height as usize, "the caller sizes the buffer");
        self.bounded(image, image.whole(), |turbo, bytes| {
            // SAFETY: as in `decode`; the pitch counts samples of 16 bits.
            unsafe {
                let (handle, out) = (turbo.handle.as_ptr(), out.as_mut_ptr());
                raw::tj3Decompress12(
                    handle,
                    bytes.as_ptr(),
                    bytes.len() as _,
                    out,
                    pitch as c_int,
                    format(image),
                )
            }
        })
    }

    /// Lets `decompress` decode `region` and no more, whatever the bytes are by then: normally those whose header was read, but
    /// not if they are in a mapped file that another process writes to.
    ///
    /// The region is the bound. TurboJPEG refuses a region that does not fit the header that it finds: libjpeg's crop must lie
    /// within the image's width, and too many rows are a warning, at which it stops. Images without regions are copied first,
    /// and so are shrunk ones, because shrinking has no effect on a lossless image that may be there now.
    fn bounded(
        &mut self,
        image: &Image<'_>,
        region: Region,
        decompress: impl FnOnce(&mut Self, &[u8]) -> c_int,
    ) -> Result<(), DecodeError> {
        if image.shrink > 1 {
            self.set_shrink(image.shrink)?;
        }
        if image.stored.has_regions {
            self.set_region(region)?;
        }
        let failed = if image.stored.has_regions && image.shrink == 1 {
            decompress(self, image.bytes)
        } else {
            let mut copy = std::mem::take(&mut self.copy);
            copy.clear();
            copy.extend_from_slice(image.bytes);
            let stored = self.stored(&copy);
            let result = match stored {
                Ok(stored) if stored == image.stored => Ok(decompress(self, &copy)),
                Ok(_) => Err(DecodeError::Jpeg("its header changed while it was read".into())),
                Err(error) => Err(error),
            };
            self.copy = copy;
            result?
        };
        if failed == 0 { Ok(()) } else { Err(self.refused()) }
    }

    /// Frees the buffer.
    pub(super) fn give_back(&mut self) {
        self.copy = Vec::new();
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

    fn set_region(&mut self, part: Region) -> Result<(), DecodeError> {
        let [x, y, w, h] = [part.x, part.y, part.width, part.height].map(|length| length as c_int);
        // SAFETY: the handle is live; a region outside the image is answered by -1.
        match unsafe { raw::tj3SetCroppingRegion(self.handle.as_ptr(), raw::tjregion { x, y, w, h }) } {
            0 => Ok(()),
            _ => Err(DecodeError::Setup(self.reason())),
        }
    }
}

/// TurboJPEG's pixel format of an image.
fn format(image: &Image<'_>) -> c_int {
    let format = match image.stored.colour {
        Colour::Rgb => raw::TJPF_TJPF_RGB,
        Colour::Cmyk => raw::TJPF_TJPF_CMYK,
        Colour::Grey => raw::TJPF_TJPF_GRAY,
    };
    format as c_int
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A JPEG of one colour.
    fn jpeg(width: usize, height: usize, settings: &[(raw::TJPARAM, c_int)], format: raw::TJPF) -> Vec<u8> {
        let pixels = vec![90_i16; 4 * width * height];
        let narrow = vec![90_u8; 4 * width * height];
        let mut out = vec![0; 16 * width * height + 4096];
        let (mut start, mut length) = (out.as_mut_ptr(), out.len() as _);
        // SAFETY: there are as many pixels as their size says; the output is large enough, and no other is allocated.
        unsafe {
            let handle = raw::tj3Init(raw::TJINIT_TJINIT_COMPRESS as c_int);
            let usual = [
                (raw::TJPARAM_TJPARAM_NOREALLOC, 1),
                (raw::TJPARAM_TJPARAM_QUALITY, 85),
                (raw::TJPARAM_TJPARAM_SUBSAMP, 2),
            ];
            for (parameter, value) in usual.iter().chain(settings) {
                assert_eq!(raw::tj3Set(handle, *parameter as c_int, *value), 0);
            }
            let (w, h, format) = (width as c_int, height as c_int, format as c_int);
            let (start, length) = (&raw mut start, &raw mut length);
            let failed = if settings.contains(&(raw::TJPARAM_TJPARAM_PRECISION, 12)) {
                raw::tj3Compress12(handle, pixels.as_ptr(), w, 0, h, format, start, length)
            } else {
                raw::tj3Compress8(handle, narrow.as_ptr(), w, 0, h, format, start, length)
            };
            assert_eq!(failed, 0);
            raw::tj3Destroy(handle);
        }
        out.truncate(length as usize);
        out
    }

    /// The header of one JPEG, the bytes of another: as if they had been exchanged in between.
    #[test]
    fn other_bytes_than_those_of_the_header_write_nowhere_else() {
        let (rgb, cmyk) = (raw::TJPF_TJPF_RGB, raw::TJPF_TJPF_CMYK);
        let wide = (raw::TJPARAM_TJPARAM_PRECISION, 12);
        let lossless = (raw::TJPARAM_TJPARAM_LOSSLESS, 1);
        let mut files = Vec::new();
        for (width, height) in [(16, 16), (64, 16), (16, 64), (64, 64), (200, 200), (17, 33)] {
            for settings in [&[][..], &[wide], &[lossless], &[(raw::TJPARAM_TJPARAM_PROGRESSIVE, 1)]] {
                files.push(jpeg(width, height, settings, rgb));
            }
            files.push(jpeg(width, height, &[(raw::TJPARAM_TJPARAM_SUBSAMP, 5)], rgb));
            files.push(jpeg(width, height, &[], cmyk));
        }
        let mut accepted = 0;
        for (first, second) in files
            .iter()
            .flat_map(|first| files.iter().map(move |second| (first, second)))
        {
            for shrink in [1, 4] {
                let mut turbo = Turbo::new(1 << 20).unwrap();
                let image = turbo.open(first).unwrap().scaled(shrink);
                let other = Image { bytes: second, ..image };
                let length = image.stored.colour.channels() * (image.width * image.height) as usize;
                // Larger than anything that may be written.
                let result = if image.stored.precision == 12 {
                    let mut out = vec![-1; 1 << 18];
                    let result = turbo.decode12(&other, &mut out[..length]);
                    assert!(out[length..].iter().all(|&value| value == -1));
                    result
                } else {
                    let mut out = vec![0xab; 1 << 18];
                    let result = turbo.decode(&other, image.whole(), &mut out[..length]);
                    assert!(out[length..].iter().all(|&value| value == 0xab));
                    result
                };
                assert!(result.is_ok() || first != second);
                accepted += u32::from(result.is_ok());
            }
        }
        assert!(accepted >= 2 * files.len() as u32);
    }
}
