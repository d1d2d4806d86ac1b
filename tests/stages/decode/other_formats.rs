//! PNG is decoded whatever its file name; other formats are refused and named.

use std::io::Cursor;

use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, Rgb, Rgba};
use pipeline::stages::decode::{Frame, Options};

use super::pictures::{decoder, picture, whole};

fn png(image: &DynamicImage) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image.write_to(&mut out, ImageFormat::Png).unwrap();
    out.into_inner()
}

#[test]
fn png_is_exact() {
    let pixels = picture(13, 9, 4);
    let rgb = ImageBuffer::<Rgb<u8>, _>::from_raw(13, 9, pixels.clone()).unwrap();
    let got = whole(&mut decoder(Options::default()), &png(&DynamicImage::ImageRgb8(rgb))).unwrap();
    assert_eq!(got, (Frame { width: 13, height: 9 }, pixels));
}

#[test]
fn alpha_is_dropped_and_sixteen_bits_become_eight() {
    let mut decoder = decoder(Options::default());
    let transparent = ImageBuffer::from_pixel(3, 2, Rgba([10_u8, 200, 30, 0]));
    let (_, pixels) = whole(&mut decoder, &png(&DynamicImage::ImageRgba8(transparent))).unwrap();
    assert_eq!(pixels, [10, 200, 30].repeat(6));
    let deep = ImageBuffer::from_pixel(3, 2, Rgb([0x0a80_u16, 0xffff, 0]));
    let (_, pixels) = whole(&mut decoder, &png(&DynamicImage::ImageRgb16(deep))).unwrap();
    assert_eq!(pixels, [10, 255, 0].repeat(6));
    let grey = ImageBuffer::from_pixel(3, 2, Luma([77_u8]));
    let (_, pixels) = whole(&mut decoder, &png(&DynamicImage::ImageLuma8(grey))).unwrap();
    assert_eq!(pixels, [77; 18]);
}

#[test]
fn damaged_png_is_refused() {
    let rgb = ImageBuffer::<Rgb<u8>, _>::from_raw(13, 9, picture(13, 9, 4)).unwrap();
    let file = png(&DynamicImage::ImageRgb8(rgb));
    let mut decoder = decoder(Options::default());
    for length in 8..file.len() - 12 {
        let error = whole(&mut decoder, &file[..length]).unwrap_err().to_string();
        assert!(error.starts_with("damaged PNG: "), "{error}");
    }
    // A header that claims 2^31-1 by 2^31-1 pixels, with a correct checksum.
    let mut bomb = file;
    bomb[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    let checksum = crc32(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&checksum.to_be_bytes());
    assert!(whole(&mut decoder, &bomb).is_err());
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}

#[test]
fn the_rest_is_named() {
    let mut decoder = decoder(Options::default());
    for (bytes, reason) in [
        (&b""[..], "the file is empty (0 bytes)"),
        (b"GIF89", "not a JPEG or PNG but text"),
        (b"8BPS\0\x01", "not a JPEG or PNG but a Photoshop file; convert it"),
        (&[0xff; 6], "not a JPEG or PNG but data of an unknown kind"),
        (b"\xff\xff\xd8\xff\xe0", "a JPEG after 1 foreign byte; remove it"),
        (
            b"\xef\xbb\xbf\xff\xd8\xff\xe0",
            "a JPEG after 3 foreign bytes; remove them",
        ),
        (b"\r\n\x89PNG\r\n\x1a\n", "a PNG after 2 foreign bytes; remove them"),
        (b"\0\0\x01\x02GIF87a", "a GIF after 4 foreign bytes; remove them"),
        (b"\xef\xbb\xbfplain", "not a JPEG or PNG but text"),
        ("Größe, cut in a character: ü".as_bytes(), "not a JPEG or PNG but text"),
        (b"Gr\xf6\xdfe", "not a JPEG or PNG but data of an unknown kind"),
        (b"BM", "not a JPEG or PNG but text"),
        (b"BMW is no BMP, whatever it begins with", "not a JPEG or PNG but text"),
        (b"Not found\n", "not a JPEG or PNG but text"),
        (
            b"<!DOCTYPE html><html>",
            "not a JPEG or PNG but a web page (a failed download?)",
        ),
        (&[0; 5000], "not a JPEG or PNG but zeros (a failed copy?)"),
        (b"\0\0\0\x1cftypavif", "not a JPEG or PNG but an AVIF; convert it"),
        (b"\x01\x02\x03", "not a JPEG or PNG but data of an unknown kind"),
        (b"\xff\xd8", "damaged JPEG: Premature end of JPEG file"),
        (b"\xff\xd8\xff\xd9", "damaged JPEG: it contains tables but no image"),
    ] {
        assert_eq!(whole(&mut decoder, bytes).unwrap_err().to_string(), reason);
    }
}
