//! PNGs of every kind against the `image` crate, and their memory.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use image::ImageReader;
use pipeline::stages::decode::{Frame, Options};
use proptest::prelude::*;

use super::pictures::{cut, decoder, region, whole};
use super::regions::{fractions, inside};

/// Colour types, with their samples per pixel and allowed bits per sample.
const TYPES: [(u8, usize, &[u8]); 5] = [
    (0, 1, &[1, 2, 4, 8, 16]),
    (2, 3, &[8, 16]),
    (3, 1, &[1, 2, 4, 8]),
    (4, 2, &[8, 16]),
    (6, 4, &[8, 16]),
];

/// The first column and row of each pass of an interlaced image, and the steps between them.
const PASSES: [(usize, usize, usize, usize); 7] = [
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
];

pub fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [&kind[..], data].concat();
    let checksum = !body.iter().fold(!0_u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 }
        })
    });
    [&(data.len() as u32).to_be_bytes()[..], &body, &checksum.to_be_bytes()].concat()
}

/// A PNG of random samples, of type `TYPES[kind]` with `bits` per sample. `more` are chunks before the pixels.
pub fn png(size: (usize, usize), kind: usize, bits: u8, is_interlaced: bool, seed: u32, more: &[u8]) -> Vec<u8> {
    let (colour, samples, _) = TYPES[kind];
    let mut state = seed;
    let mut draw = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let mut raw = Vec::new();
    let passes: &[_] = if is_interlaced { &PASSES } else { &[(0, 0, 1, 1)] };
    for &(x, y, across, down) in passes {
        let columns = size.0.saturating_sub(x).div_ceil(across);
        let rows = size.1.saturating_sub(y).div_ceil(down);
        let bytes = (columns * samples * usize::from(bits)).div_ceil(8);
        for _ in 0..if columns > 0 { rows } else { 0 } {
            // Filter 1 refers to the pixel on the left.
            raw.push(draw() % 2);
            raw.extend((0..bytes).map(|_| draw()));
        }
    }
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(&raw).unwrap();
    let [width, height] = [size.0, size.1].map(|length| (length as u32).to_be_bytes());
    let header = [&width[..], &height, &[bits, colour, 0, 0, u8::from(is_interlaced)]].concat();
    let palette: Vec<u8> = (0..3 << bits.min(8)).map(|_| draw()).collect();
    let mut out = [&b"\x89PNG\r\n\x1a\n"[..], &chunk(*b"IHDR", &header)].concat();
    if colour == 3 {
        out.extend(chunk(*b"PLTE", &palette));
    }
    if seed.is_multiple_of(3) {
        // The transparency: of some palette colours, or of one colour.
        match colour {
            0 => out.extend(chunk(*b"tRNS", &[0, 1])),
            2 => out.extend(chunk(*b"tRNS", &[0, 1, 0, 2, 0, 3])),
            3 => out.extend(chunk(*b"tRNS", &[0, 128])),
            _ => {}
        }
    }
    out.extend(more);
    out.extend(chunk(*b"IDAT", &zlib.finish().unwrap()));
    out.extend(chunk(*b"IEND", b""));
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_kind_is_what_it_is_elsewhere(
        kind in 0..TYPES.len(), depth in 0_usize..5, size in (1_usize..60, 1_usize..60), is_interlaced: bool, seed: u32, at in fractions(),
    ) {
        let bits = TYPES[kind].2[depth % TYPES[kind].2.len()];
        let file = png(size, kind, bits, is_interlaced, seed, &[]);
        let mut reader = ImageReader::new(Cursor::new(&file));
        reader.set_format(image::ImageFormat::Png);
        let expected = reader.decode().unwrap().into_rgb8();
        let mut decoder = decoder(Options::default());
        let (frame, all) = whole(&mut decoder, &file).unwrap();
        prop_assert_eq!(frame, Frame { width: expected.width(), height: expected.height() });
        prop_assert!(all == expected.into_raw());
        let wanted = inside(frame, at);
        prop_assert!(region(&mut decoder, &file, wanted).unwrap() == cut(&all, frame, wanted));
    }

    /// A part is refused if and only if the whole is.
    #[test]
    fn damage_is_seen_whatever_part_is_wanted(
        kind in 0..TYPES.len(), is_interlaced: bool, seed: u32, at in 0.0..1.0_f64, value: u8, kept in 0.5..1.2_f64, place in fractions(),
    ) {
        let mut file = png((40, 30), kind, 8, is_interlaced, seed, &[]);
        let at = 8 + (at * (file.len() - 8) as f64) as usize;
        file[at] = value;
        file.truncate((kept * file.len() as f64) as usize);
        let mut decoder = decoder(Options { max_pixels: 1 << 16, ..Options::default() });
        let verdict = whole(&mut decoder, &file);
        if let Ok(frame) = decoder.open(pipeline::dataset::Encoded::File(&file)) {
            let wanted = inside(frame, place);
            match (region(&mut decoder, &file, wanted), verdict) {
                (Ok(part), Ok((_, all))) => prop_assert!(part == cut(&all, frame, wanted)),
                (part, all) => prop_assert_eq!(part.err(), all.err()),
            }
        }
    }
}

/// A TIFF block with the orientation as a long integer.
pub fn orientation(value: u32) -> Vec<u8> {
    let mut out = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x04\0\0\0\x01".to_vec();
    out.extend(value.to_be_bytes());
    out.extend([0; 4]);
    out
}

#[test]
fn images_are_turned_wherever_that_is_said() {
    let upright = png((5, 3), 1, 8, false, 1, &[]);
    let end = upright.len() - 12;
    let mut decoder = decoder(Options::default());
    let (frame, all) = whole(&mut decoder, &upright).unwrap();
    let turned: Vec<u8> = (0..5)
        .flat_map(|x| (0..3).rev().map(move |y| (x, y)))
        .flat_map(|(x, y)| all[3 * (5 * y + x)..][..3].to_vec())
        .collect();
    for block in [orientation(6), [&b"Exif\0\0"[..], &orientation(6)].concat()] {
        let before = png((5, 3), 1, 8, false, 1, &chunk(*b"eXIf", &block));
        let behind = [&upright[..end], &chunk(*b"eXIf", &block), &upright[end..]].concat();
        for file in [before, behind] {
            let got = whole(&mut decoder, &file).unwrap();
            assert_eq!(got.0, Frame { width: 3, height: 5 });
            assert!(got.1 == turned);
        }
    }
    for block in [orientation(9), orientation(0), b"II*\0".to_vec(), Vec::new()] {
        let file = png((5, 3), 1, 8, false, 1, &chunk(*b"eXIf", &block));
        assert!(whole(&mut decoder, &file).unwrap() == (frame, all.clone()));
    }
}

/// A header's claim is refused before memory is allocated for it.
#[test]
fn absurd_sizes_are_refused() {
    let mut decoder = decoder(Options::default());
    for (width, height, reason) in [
        (
            0x7fff_ffff_u32,
            0x7fff_ffff_u32,
            "a row of 2147483647x1 pixels exceeds the limit of 1048576 pixels",
        ),
        (
            1_048_577,
            1,
            "a row of 1048577x1 pixels exceeds the limit of 1048576 pixels",
        ),
        (
            1_000_000,
            179,
            "an image of 1000000x179 pixels exceeds the limit of 178956970 pixels",
        ),
    ] {
        let mut file = png((4, 4), 4, 16, false, 1, &[]);
        let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[16, 6, 0, 0, 0]].concat();
        file.splice(8..33, chunk(*b"IHDR", &header));
        assert_eq!(whole(&mut decoder, &file).unwrap_err().to_string(), reason);
    }
}
