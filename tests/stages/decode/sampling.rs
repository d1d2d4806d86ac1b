//! Sampling factors of all kinds: whatever libjpeg decodes as a whole is also decoded in parts, with the same pixels.

use pipeline::dataset::Encoded;
use pipeline::stages::decode::{DecodeError, Decoder, Options, Region};
use turbojpeg::{Decompressor, Image, PixelFormat};

use super::encoder::Sequential;
use super::pictures::{cut, decoder, region, trusted, whole};
use super::regions::inside;

/// Every pair of factors.
fn all() -> impl Iterator<Item = (u32, u32)> + Clone {
    (1..=4).flat_map(|across| (1..=4).map(move |down| (across, down)))
}

/// libjpeg's own pixels; `None` if it refuses the file.
fn by_libjpeg(file: &[u8], (width, height): (u32, u32)) -> Option<Vec<u8>> {
    let (width, height) = (width as usize, height as usize);
    let mut pixels = vec![0; 3 * width * height];
    let image = Image {
        pixels: &mut pixels[..],
        width,
        pitch: 3 * width,
        height,
        format: PixelFormat::RGB,
    };
    Decompressor::new().unwrap().decompress(file, image).ok()?;
    Some(pixels)
}

/// Compares parts with the whole; returns whether the file is accepted.
fn holds(decoder: &mut Decoder, file: &[u8], seed: u32, what: &dyn std::fmt::Debug) -> Option<Vec<u8>> {
    let verdict = whole(decoder, file);
    let Ok(frame) = decoder.open(Encoded::File(file)) else {
        assert!(verdict.is_err());
        return None;
    };
    for i in 0..4 {
        let at = [0, 7, 13, 21]
            .map(|shift| f64::from((seed.wrapping_mul(2_654_435_761) >> shift).wrapping_add(i * 97) % 100) / 99.0);
        let wanted = inside(frame, at);
        for got in [region(decoder, file, wanted), trusted(decoder, file, wanted)] {
            match (&verdict, got) {
                (Ok((frame, all)), Ok(part)) => assert!(part == cut(all, *frame, wanted), "{what:?} {wanted:?}"),
                (Err(whole), Err(part)) => assert_eq!(*whole, part, "{what:?} {wanted:?}"),
                (_, got) => panic!("{what:?} {wanted:?}: {:?}, whole {:?}", got.err(), verdict.err()),
            }
        }
    }
    verdict.ok().map(|(_, pixels)| pixels)
}

/// Tests factors of three components on one file of each size; a file that libjpeg cannot decode must be refused as such.
fn check(factors: &[(u32, u32)], interleaved: bool, seed: u32, options: Options) -> bool {
    let file = Sequential {
        width: 37 + seed % 50,
        height: 11 + seed % 60,
        factors,
        interleaved,
        interval: if seed.is_multiple_of(3) {
            1 + (seed % 7) as u16
        } else {
            0
        },
        precision: 8,
    };
    let bytes = file.file(seed);
    let got = holds(&mut decoder(options), &bytes, seed, &file);
    if options == Options::default() && factors.len() < 4 {
        assert_eq!(got, by_libjpeg(&bytes, (file.width, file.height)), "{file:?}");
    }
    if got.is_none() {
        let error = whole(&mut decoder(options), &bytes).unwrap_err();
        let is_too_large = error.to_string() == "damaged JPEG: Sampling factors too large for interleaved scan";
        assert!(
            is_too_large || matches!(error, DecodeError::UnsupportedJpeg(_)),
            "{file:?}: {error}"
        );
    }
    got.is_some()
}

#[test]
fn parts_of_one_or_three_components_are_cut_of_the_whole() {
    let mut accepted = 0;
    let mut seed = 0;
    for luma in all() {
        assert!(check(&[luma], true, seed, Options::default()), "{luma:?}");
        for (blue, red) in all().flat_map(|blue| all().map(move |red| (blue, red))) {
            seed += 1;
            accepted += u32::from(check(&[luma, blue, red], seed % 4 != 0, seed, Options::default()));
        }
    }
    assert!(accepted > 500, "{accepted}");
}

#[test]
fn parts_of_four_components_are_cut_of_the_whole() {
    let pairs: Vec<_> = all().collect();
    let accepted = (0..1500_u32).filter(|&seed| {
        let factors = [0, 5, 11, 17].map(|shift| pairs[(seed.wrapping_mul(2_654_435_761) >> shift) as usize % 16]);
        check(&factors, seed % 4 != 0, seed, Options::default())
    });
    let accepted = accepted.count();
    assert!(accepted > 50, "{accepted}");
}

/// Also if libjpeg shrinks the image while decoding, which it does to each component as its factors allow.
#[test]
fn parts_of_what_is_far_smaller_are_cut_of_the_whole() {
    let mut accepted = 0;
    for (seed, (luma, chroma)) in (0..).zip(all().flat_map(|luma| all().map(move |chroma| (luma, chroma)))) {
        for side in [3, 6, 12] {
            let options = Options {
                shorter_side: Some(side),
                ..Options::default()
            };
            accepted += u32::from(check(&[luma, chroma, chroma], true, seed, options));
        }
    }
    assert!(accepted > 100, "{accepted}");
}

/// If all components have the same factors, the image is 4:4:4 whatever the factors are. ImageNet has some such files.
#[test]
fn equal_factors_are_no_subsampling() {
    for factors in [(2, 1), (3, 1), (1, 2), (1, 3), (2, 2)] {
        let file = Sequential {
            width: 95,
            height: 60,
            factors: &[factors; 3],
            interleaved: factors != (2, 2),
            interval: 0,
            precision: 8,
        };
        let bytes = file.file(9);
        let mut decoder = decoder(Options::default());
        let (frame, all) = whole(&mut decoder, &bytes).unwrap();
        for x in 0..frame.width {
            let column = Region {
                x,
                y: x % frame.height,
                width: 1,
                height: 1,
            };
            assert!(
                region(&mut decoder, &bytes, column).unwrap() == cut(&all, frame, column),
                "{factors:?} {x}"
            );
        }
    }
}
