//! BMP, GIF, TIFF and WebP.

use std::io::Cursor;

use image::codecs::gif::GifEncoder;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use pipeline::dataset::Encoded;
use pipeline::stages::decode::{Frame, Options};
use proptest::prelude::*;

use super::pictures::{cut, decoder, picture, region, whole};
use super::pngs::orientation;
use super::regions::{fractions, inside};

const FORMATS: [ImageFormat; 4] = [ImageFormat::Bmp, ImageFormat::Gif, ImageFormat::Tiff, ImageFormat::WebP];

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image.write_to(&mut out, format).unwrap();
    out.into_inner()
}

/// Few colours, so that a GIF is exact.
fn flat(width: u32, height: u32, seed: u32) -> RgbImage {
    let pixels = picture(width as usize, height as usize, seed);
    RgbImage::from_raw(width, height, pixels.iter().map(|value| value & 0xc0).collect()).unwrap()
}

#[test]
fn each_is_exact() {
    let mut decoder = decoder(Options::default());
    let image = flat(13, 9, 4);
    for format in FORMATS {
        let file = encoded(&DynamicImage::ImageRgb8(image.clone()), format);
        let got = whole(&mut decoder, &file).unwrap();
        assert_eq!(got.0, Frame { width: 13, height: 9 }, "{format:?}");
        assert!(got.1 == *image.as_raw(), "{format:?}");
    }
}

#[test]
fn alpha_is_dropped_and_sixteen_bits_become_eight() {
    let mut decoder = decoder(Options::default());
    let transparent = DynamicImage::ImageRgba8(RgbaImage::from_pixel(3, 2, Rgba([10, 200, 30, 0])));
    for format in [ImageFormat::Bmp, ImageFormat::Tiff, ImageFormat::WebP] {
        let (_, pixels) = whole(&mut decoder, &encoded(&transparent, format)).unwrap();
        assert_eq!(pixels, [10, 200, 30].repeat(6), "{format:?}");
    }
    let deep = image::ImageBuffer::from_pixel(3, 2, Rgb([0x0a80_u16, 0xffff, 0]));
    let file = encoded(&DynamicImage::ImageRgb16(deep), ImageFormat::Tiff);
    assert_eq!(whole(&mut decoder, &file).unwrap().1, [10, 255, 0].repeat(6));
}

#[test]
fn the_first_image_of_an_animation_is_it() {
    let images = [flat(8, 6, 1), flat(8, 6, 2)];
    let mut file = Vec::new();
    let frames = images
        .each_ref()
        .map(|image| image::Frame::new(DynamicImage::ImageRgb8(image.clone()).into_rgba8()));
    GifEncoder::new(&mut file).encode_frames(frames).unwrap();
    assert!(whole(&mut decoder(Options::default()), &file).unwrap().1 == *images[0].as_raw());
}

/// A handmade TIFF with an orientation: RGB, uncompressed.
fn tiff(image: &RgbImage, turn: u16) -> Vec<u8> {
    let entries: [(u16, u16, u32); 9] = [
        (0x100, 3, image.width() << 16),
        (0x101, 3, image.height() << 16),
        (0x102, 3, 8 << 16),
        (0x103, 3, 1 << 16),
        (0x106, 3, 2 << 16),
        (0x111, 4, 8),
        (0x112, 3, u32::from(turn) << 16),
        (0x115, 3, 3 << 16),
        (0x117, 4, image.as_raw().len() as u32),
    ];
    let mut out = b"MM\0*".to_vec();
    out.extend((8 + image.as_raw().len() as u32).to_be_bytes());
    out.extend(image.as_raw());
    out.extend((entries.len() as u16).to_be_bytes());
    for (tag, kind, value) in entries {
        out.extend([tag.to_be_bytes(), kind.to_be_bytes()].concat());
        out.extend([1_u32.to_be_bytes(), value.to_be_bytes()].concat());
    }
    out.extend([0; 4]);
    out
}

/// A WebP with an EXIF block.
fn webp(image: &RgbImage, block: &[u8]) -> Vec<u8> {
    let simple = encoded(&DynamicImage::ImageRgb8(image.clone()), ImageFormat::WebP);
    let [width, height] = [image.width() - 1, image.height() - 1].map(u32::to_le_bytes);
    let mut chunks = b"WEBPVP8X\x0a\0\0\0\x08\0\0\0".to_vec();
    chunks.extend([&width[..3], &height[..3]].concat());
    chunks.extend(&simple[12..]);
    chunks.extend(b"EXIF");
    chunks.extend((block.len() as u32).to_le_bytes());
    chunks.extend(block);
    chunks.resize(chunks.len().next_multiple_of(2), 0);
    [&b"RIFF"[..], &(chunks.len() as u32).to_le_bytes(), &chunks].concat()
}

#[test]
fn images_are_turned_upright() {
    let mut decoder = decoder(Options::default());
    let image = flat(5, 3, 1);
    for turn in 1..=8 {
        let mut expected = DynamicImage::ImageRgb8(image.clone());
        expected.apply_orientation(image::metadata::Orientation::from_exif(turn).unwrap());
        let expected = expected.into_rgb8();
        for file in [tiff(&image, turn.into()), webp(&image, &orientation(turn.into()))] {
            let (frame, pixels) = whole(&mut decoder, &file).unwrap();
            assert_eq!((frame.width, frame.height), expected.dimensions(), "{turn}");
            assert!(pixels == *expected.as_raw(), "{turn}");
        }
    }
}

#[test]
fn absurd_sizes_are_refused() {
    let mut decoder = decoder(Options::default());
    let image = DynamicImage::ImageRgb8(flat(5, 3, 1));
    let mut gif = encoded(&image, ImageFormat::Gif);
    gif[6..10].fill(0xff);
    let mut bmp = encoded(&image, ImageFormat::Bmp);
    bmp[18..26].copy_from_slice(&[0xff, 0xff, 0, 0, 0xff, 0xff, 0, 0]);
    for file in [gif, bmp] {
        let error = whole(&mut decoder, &file).unwrap_err().to_string();
        assert_eq!(
            error,
            "an image of 65535x65535 pixels exceeds the limit of 178956970 pixels"
        );
    }
    // Smaller, but each pixel takes several times the memory of RGB.
    let mut gif = encoded(&image, ImageFormat::Gif);
    gif[6..10].copy_from_slice(&[0, 0x30, 0, 0x30]);
    let error = whole(&mut decoder, &gif).unwrap_err().to_string();
    assert_eq!(
        error,
        "an image of this format of 12288x12288 pixels exceeds the limit of 48806446 pixels"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn parts_are_cut_of_the_whole(
        format in 0..FORMATS.len(), size in (1_u32..60, 1_u32..60), seed: u32, shorter_side in prop::option::of(1_u32..50), at in fractions(),
    ) {
        let file = encoded(&DynamicImage::ImageRgb8(flat(size.0, size.1, seed)), FORMATS[format]);
        let mut decoder = decoder(Options { shorter_side, ..Options::default() });
        let (frame, all) = whole(&mut decoder, &file).unwrap();
        let wanted = inside(frame, at);
        prop_assert!(region(&mut decoder, &file, wanted).unwrap() == cut(&all, frame, wanted));
    }

    #[test]
    fn damage_harms_nobody(
        format in 0..FORMATS.len(), seed: u32, flips in prop::collection::vec((0.0..1.0_f64, any::<u8>()), 0..6), kept in 0.3..1.2_f64, at in fractions(),
    ) {
        let mut file = encoded(&DynamicImage::ImageRgb8(flat(31, 22, seed)), FORMATS[format]);
        for (at, value) in flips {
            let at = (at * file.len() as f64) as usize;
            file[at] = value;
        }
        file.truncate((kept * file.len() as f64) as usize);
        let mut decoder = decoder(Options { max_pixels: 1 << 16, ..Options::default() });
        let verdict = whole(&mut decoder, &file);
        if let Ok(frame) = decoder.open(Encoded::File(&file)) {
            let wanted = inside(frame, at);
            match (region(&mut decoder, &file, wanted), verdict) {
                (Ok(part), Ok((_, all))) => prop_assert!(part == cut(&all, frame, wanted)),
                (part, all) => prop_assert_eq!(part.err(), all.err()),
            }
        }
    }
}
