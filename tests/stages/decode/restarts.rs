//! If bytes are trusted, only the wanted part is read, and still has the whole's pixels. Bytes that are wrongly trusted do no
//! harm.

use pipeline::dataset::Encoded;
use pipeline::stages::decode::{DecodeError, Options, Region};
use proptest::prelude::*;
use turbojpeg::Subsamp;

use super::pictures::{cut, decoder, jpeg, region, trusted, whole, with_orientation, with_restarts};
use super::regions::{SUBSAMPLINGS, fractions, inside};

/// Intervals of part of a row, of whole rows, and of neither.
fn interval(width: usize, subsamp: Subsamp, choice: usize) -> u32 {
    let mcu = match subsamp {
        Subsamp::None | Subsamp::Gray | Subsamp::Sub1x2 | Subsamp::Sub1x4 => 8,
        Subsamp::Sub4x1 => 32,
        _ => 16,
    };
    let columns = width.div_ceil(mcu) as u32;
    match choice {
        0 => 1,
        1 => (2..=columns).find(|part| columns.is_multiple_of(*part)).unwrap_or(1),
        2 => columns,
        3 => 2 * columns,
        _ => columns + 1,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn trusted_region_is_cut_of_whole(
        size in (1_usize..200, 1_usize..120), seed: u32, subsamp in 0..SUBSAMPLINGS.len(), choice in 0_usize..5,
        places in prop::collection::vec(fractions(), 8),
    ) {
        let subsamp = SUBSAMPLINGS[subsamp];
        let file = with_restarts(size.0, size.1, seed, subsamp, interval(size.0, subsamp, choice));
        let mut decoder = decoder(Options::default());
        let (frame, all) = whole(&mut decoder, &file).unwrap();
        for at in places {
            let wanted = inside(frame, at);
            prop_assert!(trusted(&mut decoder, &file, wanted).unwrap() == cut(&all, frame, wanted), "{:?}", wanted);
        }
    }

    #[test]
    fn trusted_region_is_cut_of_whole_without_restarts(
        size in (1_usize..100, 1_usize..100), seed: u32, subsamp in 0..SUBSAMPLINGS.len(), progressive: bool, at in fractions(),
    ) {
        let file = jpeg(size.0, size.1, seed, SUBSAMPLINGS[subsamp], progressive);
        let mut decoder = decoder(Options::default());
        let (frame, all) = whole(&mut decoder, &file).unwrap();
        let wanted = inside(frame, at);
        prop_assert!(trusted(&mut decoder, &file, wanted).unwrap() == cut(&all, frame, wanted), "{:?}", wanted);
    }

    /// Also if the image is turned, resized, or shrunk by libjpeg while decoding.
    #[test]
    fn trusted_region_is_cut_of_whole_when_resized_and_turned(
        size in (16_usize..300, 16_usize..200), seed: u32, subsamp in 0..SUBSAMPLINGS.len(), choice in 0_usize..5,
        orientation in 1_u8..=8, shorter_side in 4_u32..70, square: bool, at in fractions(),
    ) {
        let subsamp = SUBSAMPLINGS[subsamp];
        let file = with_restarts(size.0, size.1, seed, subsamp, interval(size.0, subsamp, choice));
        let file = with_orientation(&file, orientation);
        let mut decoder = decoder(Options { shorter_side: Some(shorter_side), square, ..Options::default() });
        let (frame, all) = whole(&mut decoder, &file).unwrap();
        let wanted = inside(frame, at);
        prop_assert!(trusted(&mut decoder, &file, wanted).unwrap() == cut(&all, frame, wanted), "{:?}", wanted);
    }

    /// Without trust, restart markers change nothing: a part is refused if and only if the whole is. With misplaced trust, the
    /// image is refused or has wrong pixels.
    #[test]
    fn damage_harms_nobody(
        seed: u32, choice in 0_usize..4, kept in 0.5..=1.2_f64, at in fractions(),
        flips in prop::collection::vec((0.0..1.0_f64, any::<u8>()), 0..6),
        markers in prop::collection::vec((0.0..1.0_f64, 0xbf..=0xff_u8), 0..4),
    ) {
        let good = with_restarts(130, 70, seed, Subsamp::Sub2x2, interval(130, Subsamp::Sub2x2, choice));
        let mut decoder = decoder(Options { max_pixels: 1 << 20, ..Options::default() });
        let (frame, all) = whole(&mut decoder, &good).unwrap();
        let wanted = inside(frame, at);
        let mut bad = good.clone();
        bad.truncate((kept * good.len() as f64) as usize);
        for (at, value) in flips {
            let at = (at * bad.len() as f64) as usize;
            bad[at] = value;
        }
        let behind: Vec<usize> = (2..bad.len()).filter(|&at| bad[at - 1] == 0xff).collect();
        for (at, value) in markers {
            bad[behind[(at * behind.len() as f64) as usize]] = value;
        }
        let verdict = whole(&mut decoder, &bad);
        if let Ok(frame) = decoder.open(Encoded::File(&bad)) {
            let part = inside(frame, at);
            match verdict {
                Ok((_, pixels)) => prop_assert!(region(&mut decoder, &bad, part).unwrap() == cut(&pixels, frame, part)),
                Err(error) => prop_assert_eq!(region(&mut decoder, &bad, part).unwrap_err(), error),
            }
            let _: Result<_, DecodeError> = trusted(&mut decoder, &bad, part);
        }
        prop_assert!(trusted(&mut decoder, &good, wanted).unwrap() == cut(&all, frame, wanted));
    }
}

/// Where the compressed data of each tile begins and ends.
fn tiles(file: &[u8]) -> Vec<(usize, usize)> {
    let scan = file.windows(2).position(|marker| marker == b"\xff\xda").unwrap();
    let mut start = scan + 2 + usize::from(u16::from_be_bytes([file[scan + 2], file[scan + 3]]));
    let markers = (start..file.len() - 1).filter(|&at| file[at] == 0xff && file[at + 1] != 0);
    markers
        .map(|end| {
            let tile = (start, end);
            start = end + 2;
            tile
        })
        .collect()
}

/// Only what is needed is decoded: damage there is noticed, damage elsewhere is not.
#[test]
fn only_needed_tiles_are_read() {
    // Four rows of three tiles, each of 32 by 16 pixels.
    let file = with_restarts(96, 64, 5, Subsamp::Sub2x2, 2);
    let places = tiles(&file);
    assert_eq!(places.len(), 12);
    let mut decoder = decoder(Options::default());
    let (frame, all) = whole(&mut decoder, &file).unwrap();
    let wanted = Region {
        x: 40,
        y: 20,
        width: 20,
        height: 20,
    };
    for (tile, &(start, end)) in places.iter().enumerate() {
        let mut bad = file.clone();
        bad.drain(start + 1..end);
        assert!(whole(&mut decoder, &bad).is_err(), "tile {tile}");
        let part = trusted(&mut decoder, &bad, wanted);
        if [4, 7].contains(&tile) {
            assert!(part.is_err(), "tile {tile}");
        } else {
            assert!(part.unwrap() == cut(&all, frame, wanted), "tile {tile}");
        }
    }
}

/// On an unexpected marker the whole image is decoded, and libjpeg-turbo decides.
#[test]
fn markers_out_of_order_are_not_spliced() {
    let file = with_restarts(96, 64, 5, Subsamp::Sub2x2, 2);
    let places = tiles(&file);
    let wanted = Region {
        x: 40,
        y: 40,
        width: 20,
        height: 20,
    };
    let mut bad = file.clone();
    bad[places[2].1 + 1] = 0xd5;
    let mut decoder = decoder(Options::default());
    let error = trusted(&mut decoder, &bad, wanted).unwrap_err();
    assert!(matches!(error, DecodeError::Jpeg(_)), "{error}");
}
