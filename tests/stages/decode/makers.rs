//! JPEGs of every kind that is decoded.

use pipeline::stages::decode::Options;
use proptest::prelude::*;
use turbojpeg::{Subsamp, raw};

use super::encoder::Sequential;
use super::pictures::{
    compressed, cut, decoder, incomplete, jpeg, picture, region, trusted, whole, with_orientation, with_restarts,
};
use super::regions::{SUBSAMPLINGS, fractions, inside};

/// The number of kinds that [`made`] makes.
pub const KINDS: usize = 13;

/// A JPEG of kind `kind`; `choice` selects any further options.
pub fn made(kind: usize, (width, height): (usize, usize), seed: u32, choice: usize) -> Vec<u8> {
    let subsamp = SUBSAMPLINGS[choice % SUBSAMPLINGS.len()];
    let pixels = picture(width, height, seed);
    let with = |settings: &[_]| compressed(&pixels, width, raw::TJPF_TJPF_RGB, settings);
    let sampled = (raw::TJPARAM_TJPARAM_SUBSAMP, subsamp as i32);
    let by_hand = |factors: &[(u32, u32)], interleaved, precision| {
        Sequential {
            width: width as u32,
            height: height as u32,
            factors,
            interleaved,
            interval: (seed % 5) as u16,
            precision,
        }
        .file(seed)
    };
    let cmyk = || {
        let cmyk: Vec<u8> = pixels
            .chunks(3)
            .flat_map(|rgb| [rgb[0], rgb[1], rgb[2], rgb[1] / 2])
            .collect();
        let space = [raw::TJCS_TJCS_CMYK, raw::TJCS_TJCS_YCCK][choice % 2] as i32;
        let settings = [(raw::TJPARAM_TJPARAM_COLORSPACE, space), sampled];
        // CMYK has no grey subsampling.
        let used = if subsamp == Subsamp::Gray {
            &settings[..1]
        } else {
            &settings
        };
        compressed(&cmyk, width, raw::TJPF_TJPF_CMYK, used)
    };
    match kind {
        0 => jpeg(width, height, seed, subsamp, false),
        1 => jpeg(width, height, seed, subsamp, true),
        2 => incomplete(width, height, seed, subsamp, 1 + choice % 6),
        3 => with_restarts(width, height, seed, subsamp, 1 + choice as u32 % 9),
        4 => with(&[sampled, (raw::TJPARAM_TJPARAM_ARITHMETIC, 1)]),
        5 => with(&[
            sampled,
            (raw::TJPARAM_TJPARAM_ARITHMETIC, 1),
            (raw::TJPARAM_TJPARAM_PROGRESSIVE, 1),
        ]),
        6 => cmyk(),
        7 => with(&[sampled, (raw::TJPARAM_TJPARAM_PRECISION, 12)]),
        8 => with(&[(raw::TJPARAM_TJPARAM_LOSSLESS, 1)]),
        9 => {
            let grey: Vec<u8> = pixels.iter().copied().step_by(3).collect();
            compressed(&grey, width, raw::TJPF_TJPF_GRAY, &[(raw::TJPARAM_TJPARAM_LOSSLESS, 1)])
        }
        10 => by_hand(
            &[[(1, 1); 3], [(3, 1); 3], [(1, 2), (2, 2), (2, 2)]][choice % 3],
            true,
            8,
        ),
        11 => by_hand(&[(2, 2), (1, 1), (1, 1)], false, [8, 12][choice % 2]),
        _ => by_hand(&[(2, 1), (1, 1), (1, 1), (2, 1)], choice.is_multiple_of(2), 8),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(700))]

    /// However an image is made, and whether or not its bytes are trusted, a part has the whole's pixels.
    #[test]
    fn parts_of_every_kind_are_cut_of_the_whole(
        kind in 0..KINDS, size in (1_usize..150, 1_usize..100), seed: u32, choice in 0_usize..50, orientation in 1_u8..=8,
        shorter_side in prop::option::of(3_u32..120), square: bool, dct_scaling: bool, at in fractions(),
    ) {
        let file = with_orientation(&made(kind, size, seed, choice), orientation);
        let mut decoder = decoder(Options { shorter_side, square, dct_scaling, ..Options::default() });
        let (frame, all) = whole(&mut decoder, &file).unwrap();
        let wanted = inside(frame, at);
        prop_assert!(region(&mut decoder, &file, wanted).unwrap() == cut(&all, frame, wanted), "{:?}", wanted);
        prop_assert!(trusted(&mut decoder, &file, wanted).unwrap() == cut(&all, frame, wanted), "trusted, {:?}", wanted);
    }
}

/// libjpeg smooths what the missing scans of a progressive image leave undefined, across block edges.
#[test]
fn parts_of_incomplete_progressive_images_are_cut_of_the_whole() {
    let mut decoder = decoder(Options::default());
    for (subsamp, missing) in [Subsamp::None, Subsamp::Sub2x2, Subsamp::Gray]
        .into_iter()
        .flat_map(|subsamp| (1..10).map(move |missing| (subsamp, missing)))
    {
        let file = incomplete(64, 48, 7, subsamp, missing);
        let (frame, all) = whole(&mut decoder, &file).unwrap();
        let complete = jpeg(64, 48, 7, subsamp, true);
        assert!(
            all != whole(&mut decoder, &complete).unwrap().1,
            "{missing} scans say nothing"
        );
        for i in 0..20_u32 {
            let wanted = inside(frame, [3, 5, 7, 11].map(|step| f64::from(i * step % 20) / 19.0));
            assert!(
                region(&mut decoder, &file, wanted).unwrap() == cut(&all, frame, wanted),
                "{missing} {wanted:?}"
            );
        }
    }
}
