//! Test images.

use pipeline::dataset::Encoded;
use pipeline::stages::decode::{DecodeError, Decoder, Frame, Options, Region, Trust};
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp, raw};

/// RGB pixels: gradients with noise, so that neighbouring pixels and blocks always differ.
pub fn picture(width: usize, height: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12345);
    let mut pixels = Vec::with_capacity(3 * width * height);
    for y in 0..height {
        for x in 0..width {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 24) as usize / 3;
            pixels.extend([
                (x * 5 + noise) as u8,
                (y * 7 + noise) as u8,
                ((x + y) * 3 + noise) as u8,
            ]);
        }
    }
    pixels
}

/// A JPEG of [`picture`].
pub fn jpeg(width: usize, height: usize, seed: u32, subsamp: Subsamp, progressive: bool) -> Vec<u8> {
    let mut compressor = Compressor::new().unwrap();
    compressor.set_quality(85).unwrap();
    compressor.set_subsamp(subsamp).unwrap();
    compressor.set_progressive(progressive).unwrap();
    let pixels = picture(width, height, seed);
    let image = Image {
        pixels: &pixels[..],
        width,
        pitch: 3 * width,
        height,
        format: PixelFormat::RGB,
    };
    compressor.compress_to_vec(image).unwrap()
}

/// The same JPEG with an EXIF block that gives an orientation.
pub fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut out = jpeg[..2].to_vec();
    out.extend(b"\xff\xe1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0");
    out.extend([orientation, 0, 0, 0, 0, 0, 0]);
    out.extend(&jpeg[2..]);
    out
}

pub fn decoder(options: Options) -> Decoder {
    Decoder::new(options).unwrap()
}

/// The frame and the pixels of the whole image.
pub fn whole(decoder: &mut Decoder, file: &[u8]) -> Result<(Frame, Vec<u8>), DecodeError> {
    let frame = decoder.open(Encoded::File(file))?;
    Ok((frame, region(decoder, file, Region::whole(frame))?))
}

pub fn region(decoder: &mut Decoder, file: &[u8], region: Region) -> Result<Vec<u8>, DecodeError> {
    let mut out = vec![0xab; region.bytes()];
    decoder.pixels(Encoded::File(file), region, &mut out)?;
    Ok(out)
}

/// Cuts a region out of the pixels of a whole frame.
pub fn cut(pixels: &[u8], frame: Frame, region: Region) -> Vec<u8> {
    let mut out = Vec::new();
    for y in region.y..region.y + region.height {
        let start = 3 * (y * frame.width + region.x) as usize;
        out.extend(&pixels[start..start + 3 * region.width as usize]);
    }
    out
}

/// A JPEG of [`picture`] with a restart marker after every `interval` MCUs.
pub fn with_restarts(width: usize, height: usize, seed: u32, subsamp: Subsamp, interval: u32) -> Vec<u8> {
    let settings = [
        (raw::TJPARAM_TJPARAM_SUBSAMP, subsamp as i32),
        (raw::TJPARAM_TJPARAM_RESTARTBLOCKS, interval as i32),
    ];
    compressed(&picture(width, height, seed), width, raw::TJPF_TJPF_RGB, &settings)
}

/// A JPEG of pixels in one of TurboJPEG's formats, with the given settings.
pub fn compressed(pixels: &[u8], width: usize, format: raw::TJPF, settings: &[(raw::TJPARAM, i32)]) -> Vec<u8> {
    let channels = match format {
        raw::TJPF_TJPF_GRAY => 1,
        raw::TJPF_TJPF_RGB => 3,
        _ => 4,
    };
    let height = pixels.len() / channels / width;
    let mut out = vec![0_u8; 32 * width * height + (1 << 16)];
    let (mut start, mut length) = (out.as_mut_ptr(), out.len() as _);
    let wide: Vec<i16> = pixels.iter().map(|&value| i16::from(value) << 4 | 7).collect();
    // SAFETY: the pixels have the stated size, and the output is larger than any JPEG of them; libjpeg-turbo is told not to
    // allocate another.
    unsafe {
        let handle = raw::tj3Init(raw::TJINIT_TJINIT_COMPRESS as i32);
        let usual = [
            (raw::TJPARAM_TJPARAM_QUALITY, 85),
            (raw::TJPARAM_TJPARAM_SUBSAMP, Subsamp::None as i32),
            (raw::TJPARAM_TJPARAM_NOREALLOC, 1),
        ];
        for (parameter, value) in usual.into_iter().chain(settings.iter().copied()) {
            assert_eq!(raw::tj3Set(handle, parameter as i32, value), 0, "{parameter} {value}");
        }
        let (width, height) = (width as i32, height as i32);
        let (out, length) = (&raw mut start, &raw mut length);
        let failed = if settings.contains(&(raw::TJPARAM_TJPARAM_PRECISION, 12)) {
            raw::tj3Compress12(handle, wide.as_ptr(), width, 0, height, format, out, length)
        } else {
            raw::tj3Compress8(handle, pixels.as_ptr(), width, 0, height, format, out, length)
        };
        assert_eq!(failed, 0);
        raw::tj3Destroy(handle);
    }
    out.truncate(length as usize);
    out
}

/// A progressive JPEG without its last `missing` scans.
pub fn incomplete(width: usize, height: usize, seed: u32, subsamp: Subsamp, missing: usize) -> Vec<u8> {
    let mut file = jpeg(width, height, seed, subsamp, true);
    let scans: Vec<usize> = (0..file.len() - 1)
        .filter(|&at| file[at..].starts_with(b"\xff\xda"))
        .collect();
    // At least the first scan, of DC values, remains.
    file.truncate(scans[scans.len().saturating_sub(missing).max(1)]);
    file.extend(b"\xff\xd9");
    file
}

/// A region of a file that is known to be unchanged.
pub fn trusted(decoder: &mut Decoder, file: &[u8], region: Region) -> Result<Vec<u8>, DecodeError> {
    let mut out = vec![0xab; region.bytes()];
    let size = (region.width, region.height);
    decoder.scaled(Encoded::File(file), Trust::Verified, region, size, &mut out)?;
    Ok(out)
}
