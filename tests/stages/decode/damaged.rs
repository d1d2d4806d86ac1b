//! Damaged input: never a panic or a bad memory access, and no effect on the next image.

use pipeline::dataset::Encoded;
use pipeline::stages::decode::{DecodeError, Options, Region};
use proptest::prelude::*;
use turbojpeg::Subsamp;

use super::pictures::{cut, decoder, jpeg, region, whole};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn flipped_and_cut_bytes_harm_nobody(
        seed: u32, progressive: bool, kept in 0.0..=1.2_f64,
        flips in prop::collection::vec((0.0..1.0_f64, any::<u8>()), 0..8), header_flips in prop::collection::vec((2_usize..60, any::<u8>()), 0..3),
    ) {
        let good = jpeg(70, 50, seed, Subsamp::Sub2x2, progressive);
        // Small enough to refuse an increased size instead of decoding it.
        let mut decoder = decoder(Options { max_pixels: 1 << 20, ..Options::default() });
        let before = whole(&mut decoder, &good).unwrap();
        let mut bad = good.clone();
        bad.truncate((kept * good.len() as f64) as usize);
        for (at, value) in flips {
            let at = (at * bad.len() as f64) as usize;
            if let Some(byte) = bad.get_mut(at) {
                *byte = value;
            }
        }
        for (at, value) in header_flips {
            if let Some(byte) = bad.get_mut(at) {
                *byte = value;
            }
        }
        let verdict = whole(&mut decoder, &bad);
        if let Ok((frame, pixels)) = &verdict {
            let part = Region { x: frame.width / 2, y: frame.height / 3, width: 1, height: 1 };
            prop_assert!(region(&mut decoder, &bad, part).unwrap() == cut(pixels, *frame, part));
        } else if let Ok(frame) = decoder.open(Encoded::File(&bad)) {
            let part = Region { x: frame.width / 2, y: frame.height / 3, width: 1, height: 1 };
            prop_assert_eq!(region(&mut decoder, &bad, part).err(), verdict.err());
        }
        prop_assert!(whole(&mut decoder, &good).unwrap() == before);
    }

    #[test]
    fn noise_is_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..300), magic in 0_usize..3) {
        let magic: &[u8] = [&b""[..], b"\xff\xd8", b"\x89PNG\r\n\x1a\n"][magic];
        let length = bytes.len().min(magic.len());
        bytes[..length].copy_from_slice(&magic[..length]);
        prop_assert!(whole(&mut decoder(Options::default()), &bytes).is_err());
    }
}

#[test]
fn every_truncation_that_loses_pixels_is_refused() {
    for subsamp in [Subsamp::Sub2x2, Subsamp::None, Subsamp::Gray] {
        for progressive in [false, true] {
            let file = jpeg(64, 48, 3, subsamp, progressive);
            let mut decoder = decoder(Options::default());
            let all = whole(&mut decoder, &file).unwrap();
            let end = file.len() - 2;
            for length in (0..end - 60).step_by(7).chain(end - 60..end) {
                let verdict = whole(&mut decoder, &file[..length]);
                assert!(verdict.is_err(), "{length} of {} bytes", file.len());
            }
            // Only the end marker is missing, or half of it.
            for length in end..file.len() {
                assert!(whole(&mut decoder, &file[..length]).unwrap() == all);
            }
        }
    }
}

/// A crop of a truncated file may be wholly above the cut. It is still refused, or the number of skips would depend on the
/// draw.
#[test]
fn truncation_below_the_region_is_refused() {
    let file = jpeg(64, 256, 3, Subsamp::Sub2x2, false);
    let mut out = vec![0; 3 * 16 * 16];
    let region = Region {
        x: 8,
        y: 8,
        width: 16,
        height: 16,
    };
    let cut = Encoded::File(&file[..file.len() * 3 / 4]);
    let error = decoder(Options::default()).pixels(cut, region, &mut out).unwrap_err();
    assert_eq!(error.to_string(), "damaged JPEG: Premature end of JPEG file");
}

/// An image without tables is refused, whatever tables earlier images had.
#[test]
fn tables_are_not_inherited() {
    let good = jpeg(64, 48, 3, Subsamp::Sub2x2, false);
    let mut decoder = decoder(Options::default());
    whole(&mut decoder, &good).unwrap();
    let mut bad = good.clone();
    while let Some(at) = bad.windows(2).position(|marker| marker == b"\xff\xdb") {
        let length = usize::from(u16::from_be_bytes([bad[at + 2], bad[at + 3]]));
        bad.drain(at..at + 2 + length);
    }
    let error = whole(&mut decoder, &bad).unwrap_err();
    assert_eq!(
        error.to_string(),
        "damaged JPEG: Quantization table 0x00 was not defined"
    );
}

/// A header's claim is refused before memory is allocated for it.
#[test]
fn absurd_sizes_are_refused() {
    let mut file = jpeg(16, 16, 1, Subsamp::None, false);
    let frame_header = file.windows(2).position(|marker| marker == b"\xff\xc0").unwrap();
    file[frame_header + 5..frame_header + 9].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
    let error = whole(&mut decoder(Options::default()), &file).unwrap_err();
    assert_eq!(
        error.to_string(),
        "an image of 65500x65500 pixels exceeds the limit of 178956970 pixels"
    );
    let thin = jpeg(1, 4000, 1, Subsamp::None, false);
    let options = Options {
        shorter_side: Some(256),
        ..Options::default()
    };
    let error = whole(&mut decoder(options), &thin).unwrap_err();
    assert!(
        matches!(
            error,
            DecodeError::TooLarge {
                width: 256,
                height: 1_024_000,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn callers_mistakes_are_errors() {
    let file = jpeg(20, 10, 1, Subsamp::None, false);
    let mut decoder = decoder(Options::default());
    let mut out = vec![0; 3 * 4 * 4];
    for (x, y, width, height) in [(17, 0, 4, 4), (0, 7, 4, 4), (0, 0, 0, 4), (u32::MAX, 0, 4, 4)] {
        let region = Region { x, y, width, height };
        let error = decoder.pixels(Encoded::File(&file), region, &mut out).unwrap_err();
        assert!(matches!(error, DecodeError::Region { .. }), "{error}");
    }
    let region = Region {
        x: 0,
        y: 0,
        width: 4,
        height: 5,
    };
    let error = decoder.pixels(Encoded::File(&file), region, &mut out).unwrap_err();
    assert_eq!(error, DecodeError::Buffer { got: 48, want: 60 });
}
