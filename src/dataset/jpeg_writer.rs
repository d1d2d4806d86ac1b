//! Writes pixels as JPEG, for `export` and for packs.
//!
//! Uses TurboJPEG's C interface: the crate's safe one has no restart markers.

use std::ffi::{CStr, c_int, c_void};
use std::ptr::NonNull;

use turbojpeg::{Subsamp, compressed_buf_len, raw};

/// The side of an MCU in pixels when colour has half the resolution.
const MCU: u32 = 16;

/// Compresses one image after another and reuses its buffer.
pub struct JpegWriter {
    handle: NonNull<c_void>,
    out: Vec<u8>,
    is_tiled: bool,
}

impl Drop for JpegWriter {
    fn drop(&mut self) {
        // SAFETY: the handle came from tj3Init and is not used after.
        unsafe { raw::tj3Destroy(self.handle.as_ptr()) }
    }
}

impl JpegWriter {
    /// A writer at `quality` 1 to 100. The error is libjpeg-turbo's reason.
    pub fn new(quality: u32) -> Result<Self, String> {
        // SAFETY: no pointers; null means failure.
        let handle = unsafe { raw::tj3Init(raw::TJINIT_TJINIT_COMPRESS as c_int) };
        let mut writer = Self {
            handle: NonNull::new(handle).ok_or("out of memory")?,
            out: Vec::new(),
            is_tiled: false,
        };
        writer.set(raw::TJPARAM_TJPARAM_QUALITY, quality)?;
        // The output goes into the buffer given.
        writer.set(raw::TJPARAM_TJPARAM_NOREALLOC, 1)?;
        Ok(writer)
    }

    /// The same with restart markers in colour JPEGs, so that a crop can be decoded without most of the pixels beside it.
    #[must_use]
    pub fn tiled(mut self) -> Self {
        self.is_tiled = true;
        self
    }

    /// A colour JPEG from RGB with colour at half the resolution (4:2:0), as in ImageNet.
    pub fn rgb(&mut self, width: u32, height: u32, pixels: &[u8]) -> Result<&[u8], String> {
        let interval = if self.is_tiled {
            restart_interval(width, height)
        } else {
            0
        };
        self.set(raw::TJPARAM_TJPARAM_RESTARTBLOCKS, interval)?;
        self.write(width, height, pixels, raw::TJPF_TJPF_RGB, Subsamp::Sub2x2)
    }

    /// A grey JPEG.
    pub fn grey(&mut self, width: u32, height: u32, pixels: &[u8]) -> Result<&[u8], String> {
        self.set(raw::TJPARAM_TJPARAM_RESTARTBLOCKS, 0)?;
        self.write(width, height, pixels, raw::TJPF_TJPF_GRAY, Subsamp::Gray)
    }

    fn write(&mut self, w: u32, h: u32, pixels: &[u8], format: raw::TJPF, samp: Subsamp) -> Result<&[u8], String> {
        let (width, height) = (w as usize, h as usize);
        let pitch = width * if format == raw::TJPF_TJPF_RGB { 3 } else { 1 };
        if pixels.len() != pitch * height || pixels.is_empty() {
            return Err(format!(
                "{} bytes of pixels are not {width}x{height} at {} bytes",
                pixels.len(),
                pitch / width.max(1)
            ));
        }
        self.set(raw::TJPARAM_TJPARAM_SUBSAMP, samp as u32)?;
        let max = compressed_buf_len(width, height, samp).map_err(|error| error.to_string())?;
        // A restart marker is two bytes, and the byte before it is padded.
        self.out
            .resize(max + 3 * (w.div_ceil(MCU) * h.div_ceil(MCU)) as usize, 0);
        let [width, height, pitch] = [width, height, pitch].map(|length| length as c_int);
        let (mut out, mut length) = (self.out.as_mut_ptr(), self.out.len() as _);
        // SAFETY: the handle is live, and there are as many pixels as the size says. At most `length` bytes are written to
        // `out`, which is not moved because the handle must not allocate.
        let failed = unsafe {
            raw::tj3Compress8(
                self.handle.as_ptr(),
                pixels.as_ptr(),
                width,
                pitch,
                height,
                format,
                &raw mut out,
                &raw mut length,
            )
        };
        if failed == 0 {
            Ok(&self.out[..length as usize])
        } else {
            Err(self.reason())
        }
    }

    fn set(&mut self, parameter: raw::TJPARAM, value: u32) -> Result<(), String> {
        // SAFETY: the handle is live; a wrong parameter or value is answered by -1.
        match unsafe { raw::tj3Set(self.handle.as_ptr(), parameter as c_int, value as c_int) } {
            0 => Ok(()),
            _ => Err(self.reason()),
        }
    }

    fn reason(&mut self) -> String {
        // SAFETY: the handle is live, and the string lives in it until the next call. It is copied here.
        let reason = unsafe { CStr::from_ptr(raw::tj3GetErrorStr(self.handle.as_ptr())) };
        reason.to_string_lossy().into_owned()
    }
}

/// The MCUs between restart markers: a part of a row that divides it evenly.
///
/// Crops are about as wide as the image's shorter side. If the width is the shorter side, crops need nearly all of each
/// row, and one marker at the end of the row is enough. Otherwise two MCUs cost 2.4 % of the bytes and waste at most one
/// column of a crop. Larger parts cost less and waste more. If the width is a prime number of MCUs, the only choices are
/// one MCU, which costs 5 %, and the whole row.
fn restart_interval(width: u32, height: u32) -> u32 {
    let columns = width.div_ceil(MCU);
    if width <= height {
        return columns;
    }
    (2..=5).find(|&part| columns.is_multiple_of(part)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_tile_rows() {
        // Three by four, four by three, two by three; a prime number of MCUs; a square.
        assert_eq!(restart_interval(256, 341), 16);
        assert_eq!(restart_interval(341, 256), 2);
        assert_eq!(restart_interval(384, 256), 2);
        assert_eq!(restart_interval(400, 256), 5);
        assert_eq!(restart_interval(368, 256), 1);
        assert_eq!(restart_interval(256, 256), 16);
    }
}
