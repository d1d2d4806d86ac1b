//! A region has exactly the pixels of the whole frame at that place, whatever part of the JPEG was decoded for it.

use pipeline::stages::decode::{Frame, Options, Region};
use proptest::prelude::*;
use turbojpeg::Subsamp;

use super::pictures::{cut, decoder, jpeg, region, whole, with_orientation};

pub const SUBSAMPLINGS: [Subsamp; 7] = [
    Subsamp::None,
    Subsamp::Sub2x1,
    Subsamp::Sub2x2,
    Subsamp::Gray,
    Subsamp::Sub1x2,
    Subsamp::Sub4x1,
    Subsamp::Sub1x4,
];

/// A region given by four fractions.
pub fn inside(frame: Frame, at: [f64; 4]) -> Region {
    let width = 1 + (at[2] * f64::from(frame.width - 1)) as u32;
    let height = 1 + (at[3] * f64::from(frame.height - 1)) as u32;
    let x = (at[0] * f64::from(frame.width - width)).round() as u32;
    let y = (at[1] * f64::from(frame.height - height)).round() as u32;
    Region { x, y, width, height }
}

pub fn fractions() -> impl Strategy<Value = [f64; 4]> {
    prop::array::uniform4(0.0..=1.0_f64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn region_is_cut_of_whole(
        size in (1_usize..150, 1_usize..100), seed: u32, subsamp in 0..SUBSAMPLINGS.len(), progressive: bool,
        places in prop::collection::vec(fractions(), 8),
    ) {
        let file = jpeg(size.0, size.1, seed, SUBSAMPLINGS[subsamp], progressive);
        let mut decoder = decoder(Options::default());
        let (frame, all) = whole(&mut decoder, &file).unwrap();
        prop_assert_eq!((frame.width as usize, frame.height as usize), size);
        for at in places {
            let wanted = inside(frame, at);
            prop_assert!(region(&mut decoder, &file, wanted).unwrap() == cut(&all, frame, wanted), "{:?}", wanted);
        }
    }

    #[test]
    fn region_is_cut_of_whole_when_resized_and_turned(
        size in (1_usize..90, 1_usize..90), seed: u32, subsamp in 0..SUBSAMPLINGS.len(), orientation in 1_u8..=8,
        shorter_side in prop::option::of(1_u32..70), square: bool, at in fractions(),
    ) {
        let file = with_orientation(&jpeg(size.0, size.1, seed, SUBSAMPLINGS[subsamp], false), orientation);
        let mut decoder = decoder(Options { shorter_side, square, ..Options::default() });
        let (frame, all) = whole(&mut decoder, &file).unwrap();
        if let Some(side) = shorter_side {
            prop_assert_eq!(frame.width.min(frame.height), side);
        }
        prop_assert!(!square || frame.width == frame.height);
        let wanted = inside(frame, at);
        prop_assert!(region(&mut decoder, &file, wanted).unwrap() == cut(&all, frame, wanted), "{:?}", wanted);
    }

    /// Also if libjpeg shrinks the image while decoding.
    #[test]
    fn region_is_cut_of_whole_when_far_smaller(
        size in (32_usize..300, 32_usize..300), seed: u32, subsamp in 0..SUBSAMPLINGS.len(), progressive: bool,
        shorter_side in 4_u32..40, at in fractions(),
    ) {
        let file = jpeg(size.0, size.1, seed, SUBSAMPLINGS[subsamp], progressive);
        let mut decoder = decoder(Options { shorter_side: Some(shorter_side), ..Options::default() });
        let (frame, all) = whole(&mut decoder, &file).unwrap();
        let wanted = inside(frame, at);
        prop_assert!(region(&mut decoder, &file, wanted).unwrap() == cut(&all, frame, wanted), "{:?}", wanted);
    }
}
