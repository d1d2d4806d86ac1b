//! Orientation, resizing and squares against the `image` crate.

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage, imageops};
use pipeline::dataset::Encoded;
use pipeline::stages::decode::{Frame, Options, Region};
use turbojpeg::Subsamp;

use super::pictures::{decoder, jpeg, picture, whole, with_orientation};

fn image(frame: Frame, pixels: Vec<u8>) -> RgbImage {
    RgbImage::from_raw(frame.width, frame.height, pixels).unwrap()
}

#[test]
fn all_eight_orientations() {
    let stored = jpeg(37, 22, 5, Subsamp::None, false);
    let mut decoder = decoder(Options::default());
    let (frame, pixels) = whole(&mut decoder, &stored).unwrap();
    for orientation in 1..=8 {
        let mut expected = DynamicImage::ImageRgb8(image(frame, pixels.clone()));
        expected.apply_orientation(Orientation::from_exif(orientation).unwrap());
        let (turned, pixels) = whole(&mut decoder, &with_orientation(&stored, orientation)).unwrap();
        assert_eq!(
            (turned.width, turned.height),
            (expected.width(), expected.height()),
            "{orientation}"
        );
        assert!(pixels == expected.into_rgb8().into_raw(), "{orientation}");
    }
}

#[test]
fn orientation_can_be_left_alone() {
    let stored = jpeg(37, 22, 5, Subsamp::None, false);
    let mut decoder = decoder(Options {
        exif: false,
        ..Options::default()
    });
    let upright = whole(&mut decoder, &stored).unwrap();
    for orientation in [0, 6, 9, 255] {
        assert!(whole(&mut decoder, &with_orientation(&stored, orientation)).unwrap() == upright);
    }
}

/// Another implementation of the same filter, in floating point; only rounding differs.
#[test]
fn resize_is_antialiased_bilinear() {
    let file = jpeg(120, 90, 9, Subsamp::None, false);
    let (frame, pixels) = whole(&mut decoder(Options::default()), &file).unwrap();
    let stored = image(frame, pixels);
    for (side, width) in [(30, 40), (45, 60), (89, 119), (180, 240)] {
        let options = Options {
            shorter_side: Some(side),
            dct_scaling: false,
            ..Options::default()
        };
        let (frame, pixels) = whole(&mut decoder(options), &file).unwrap();
        assert_eq!(frame, Frame { width, height: side });
        let expected = imageops::resize(&stored, width, side, imageops::FilterType::Triangle);
        let furthest = pixels.iter().zip(expected.as_raw()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(furthest <= Some(2), "{side}: {furthest:?}");
    }
}

#[test]
fn square_is_the_centre() {
    let file = jpeg(50, 21, 2, Subsamp::None, false);
    let (frame, pixels) = whole(&mut decoder(Options::default()), &file).unwrap();
    let square = Options {
        square: true,
        ..Options::default()
    };
    let (side, got) = whole(&mut decoder(square), &file).unwrap();
    assert_eq!(side, Frame { width: 21, height: 21 });
    assert!(
        got == super::pictures::cut(
            &pixels,
            frame,
            Region {
                x: 14,
                y: 0,
                width: 21,
                height: 21
            }
        )
    );
    let square = Options {
        shorter_side: Some(64),
        square: true,
        ..Options::default()
    };
    assert_eq!(
        whole(&mut decoder(square), &file).unwrap().0,
        Frame { width: 64, height: 64 }
    );
}

#[test]
fn one_pixel_becomes_a_frame() {
    for subsamp in [Subsamp::None, Subsamp::Sub2x2, Subsamp::Gray] {
        let file = jpeg(1, 1, 7, subsamp, false);
        let (frame, pixel) = whole(&mut decoder(Options::default()), &file).unwrap();
        assert_eq!(frame, Frame { width: 1, height: 1 });
        let options = Options {
            shorter_side: Some(9),
            ..Options::default()
        };
        let (frame, pixels) = whole(&mut decoder(options), &file).unwrap();
        assert_eq!(frame, Frame { width: 9, height: 9 });
        assert!(pixels.chunks(3).all(|got| got == pixel), "{pixel:?}");
    }
}

#[test]
fn grey_pixels_become_rgb() {
    let grey: Vec<u8> = picture(8, 6, 1).into_iter().step_by(3).collect();
    let encoded = Encoded::Grey {
        width: 8,
        height: 6,
        pixels: &grey,
    };
    let mut decoder = decoder(Options::default());
    assert_eq!(decoder.open(encoded).unwrap(), Frame { width: 8, height: 6 });
    let mut out = vec![0; 3 * 2 * 3];
    decoder
        .pixels(
            encoded,
            Region {
                x: 5,
                y: 1,
                width: 2,
                height: 3,
            },
            &mut out,
        )
        .unwrap();
    let expected: Vec<u8> = (1..4)
        .flat_map(|y| [grey[8 * y + 5]; 3].into_iter().chain([grey[8 * y + 6]; 3]))
        .collect();
    assert_eq!(out, expected);
    let short = Encoded::Grey {
        width: 8,
        height: 7,
        pixels: &grey,
    };
    assert!(decoder.open(short).is_err());
}

#[test]
fn raw_rgb_is_cut_and_resized() {
    let rgb = picture(8, 6, 1);
    let encoded = Encoded::Rgb {
        width: 8,
        height: 6,
        pixels: &rgb,
    };
    let mut plain = decoder(Options::default());
    assert_eq!(plain.open(encoded).unwrap(), Frame { width: 8, height: 6 });
    let region = Region {
        x: 5,
        y: 1,
        width: 2,
        height: 3,
    };
    let mut out = vec![0; region.bytes()];
    plain.pixels(encoded, region, &mut out).unwrap();
    let expected: Vec<u8> = (1..4).flat_map(|y| &rgb[3 * (8 * y + 5)..][..6]).copied().collect();
    assert_eq!(out, expected);
    let short = Encoded::Rgb {
        width: 8,
        height: 7,
        pixels: &rgb,
    };
    assert!(plain.open(short).is_err());
    // Grey images resize like grey pixels.
    let grey: Vec<u8> = rgb.iter().copied().step_by(3).collect();
    let tripled: Vec<u8> = grey.iter().flat_map(|&value| [value; 3]).collect();
    let (width, height) = (8, 6);
    let mut resizing = decoder(Options {
        shorter_side: Some(9),
        ..Options::default()
    });
    let both = [
        Encoded::Grey {
            width,
            height,
            pixels: &grey,
        },
        Encoded::Rgb {
            width,
            height,
            pixels: &tripled,
        },
    ];
    let [grey, rgb] = both.map(|encoded| {
        let frame = resizing.open(encoded).unwrap();
        assert_eq!(frame, Frame { width: 12, height: 9 });
        let mut out = vec![0; Region::whole(frame).bytes()];
        resizing.pixels(encoded, Region::whole(frame), &mut out).unwrap();
        out
    });
    assert_eq!(grey, rgb);
}
