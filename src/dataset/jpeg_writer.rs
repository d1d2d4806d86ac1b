//! Pixels to JPEG: for `export`, and for packs.

use turbojpeg::{Compressor, Image, PixelFormat, Subsamp, compressed_buf_len};

/// Compresses images one after the other; its buffer is kept.
pub struct JpegWriter {
    compressor: Compressor,
    out: Vec<u8>,
}

impl JpegWriter {
    /// A writer at `quality` 1 to 100. The error is libjpeg-turbo's reason.
    pub fn new(quality: u32) -> Result<Self, String> {
        let mut compressor = Compressor::new().map_err(|e| e.to_string())?;
        compressor.set_quality(quality as i32).map_err(|e| e.to_string())?;
        Ok(Self {
            compressor,
            out: Vec::new(),
        })
    }

    /// A colour JPEG from RGB, its colour at half the resolution (4:2:0), as ImageNet's are.
    pub fn rgb(&mut self, width: u32, height: u32, pixels: &[u8]) -> Result<&[u8], String> {
        self.write(width, height, pixels, PixelFormat::RGB, Subsamp::Sub2x2)
    }

    /// A grey JPEG.
    pub fn grey(&mut self, width: u32, height: u32, pixels: &[u8]) -> Result<&[u8], String> {
        self.write(width, height, pixels, PixelFormat::GRAY, Subsamp::Gray)
    }

    fn write(&mut self, w: u32, h: u32, pixels: &[u8], format: PixelFormat, samp: Subsamp) -> Result<&[u8], String> {
        let (width, height) = (w as usize, h as usize);
        let pitch = width * format.size();
        if pixels.len() != pitch * height {
            return Err(format!(
                "{} bytes of pixels are not {width}x{height} at {} bytes",
                pixels.len(),
                format.size()
            ));
        }
        self.compressor.set_subsamp(samp).map_err(|e| e.to_string())?;
        self.out
            .resize(compressed_buf_len(width, height, samp).map_err(|e| e.to_string())?, 0);
        let image = Image {
            pixels,
            width,
            pitch,
            height,
            format,
        };
        let length = self
            .compressor
            .compress_to_slice(image, &mut self.out)
            .map_err(|e| e.to_string())?;
        Ok(&self.out[..length])
    }
}
