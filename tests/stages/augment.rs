//! The rule is pure, stays inside the frame, and has the distributions that the paper states (section 4.1).

use std::collections::BTreeSet;

use pipeline::stages::frame::Frame;
use pipeline::stages::rule::{ColourNoise, JitterRange, ResizedCrop, Rule};
use proptest::prelude::*;

fn rule(crop: u32) -> Rule {
    Rule {
        seed: 11,
        crop,
        resized: None,
        flip: 0.5,
        jitter: None,
        cutout: 0,
        colour: None,
        views: 10,
    }
}

proptest! {
    #[test]
    fn every_draw_lies_in_the_frame_and_depends_on_its_key_alone(
        width in 1u32..400, height in 1u32..400, share in 0.0f64..1.0, epoch: u32, sample: u32,
    ) {
        let crop = (f64::from(width.min(height)) * share).ceil().max(1.0) as u32;
        let (rule, frame) = (rule(crop), Frame { width, height });
        let draw = rule.draw(epoch, sample, frame);
        prop_assert!(draw.region.x + crop <= width && draw.region.y + crop <= height);
        prop_assert_eq!(draw, rule.draw(epoch, sample, frame));
        let around = rule.region_of_views(frame);
        for view in 0..10 {
            let region = rule.view(view, frame).region;
            prop_assert!(region.x >= around.x && region.x + crop <= around.x + around.width);
            prop_assert!(region.y >= around.y && region.y + crop <= around.y + around.height);
        }
    }
}

#[test]
fn all_places_of_a_256_square_are_drawn_about_equally_often() {
    let (rule, frame) = (
        rule(224),
        Frame {
            width: 256,
            height: 256,
        },
    );
    let draws: Vec<_> = (0..33_000).map(|sample| rule.draw(0, sample, frame)).collect();
    let mut columns = [0u32; 33];
    draws.iter().for_each(|draw| columns[draw.region.x as usize] += 1);
    // The mean is 1000 per column, the standard deviation 31.
    assert!(columns.iter().all(|&count| (850..1150).contains(&count)), "{columns:?}");
    let flips = draws.iter().filter(|draw| draw.flip).count();
    assert!((16_000..17_000).contains(&flips), "{flips}");
    let again = (0..1000).filter(|&sample| rule.draw(1, sample, frame) == rule.draw(0, sample, frame));
    assert!(again.count() < 20, "another epoch draws other crops");
}

#[test]
fn the_ten_views_are_centre_and_corners_and_their_reflections() {
    let (rule, frame) = (
        rule(224),
        Frame {
            width: 300,
            height: 256,
        },
    );
    let views: Vec<_> = (0..10).map(|view| rule.view(view, frame)).collect();
    let places: BTreeSet<_> = views.iter().map(|view| (view.region.x, view.region.y)).collect();
    // The central square of 300 × 256 begins at column 22.
    assert_eq!(places, BTreeSet::from([(38, 16), (22, 0), (54, 0), (22, 32), (54, 32)]));
    assert_eq!(
        (views[0].region.x, views[0].region.y),
        (38, 16),
        "the first view is the centre crop"
    );
    for (plain, reflected) in views[..5].iter().zip(&views[5..]) {
        assert!(!plain.flip && reflected.flip && plain.region == reflected.region);
        assert_eq!(plain.colour, [0.0; 3]);
    }
}

#[test]
fn colour_noise_has_the_covariance_of_its_components() {
    let components = [[5.0, 4.0, 3.0], [-1.0, 0.5, 1.0], [0.2, -0.4, 0.2]];
    let rule = Rule {
        colour: Some(ColourNoise { components }),
        ..rule(8)
    };
    let frame = Frame { width: 8, height: 8 };
    let count = 40_000;
    let draws: Vec<[f64; 3]> = (0..count)
        .map(|sample| rule.draw(3, sample, frame).colour.map(f64::from))
        .collect();
    for i in 0..3 {
        let mean = draws.iter().map(|c| c[i]).sum::<f64>() / f64::from(count);
        assert!(mean.abs() < 0.1, "channel {i}: mean {mean}");
        for j in 0..3 {
            let found = draws.iter().map(|c| c[i] * c[j]).sum::<f64>() / f64::from(count);
            let expected: f64 = components.iter().map(|component| component[i] * component[j]).sum();
            assert!(
                (found - expected).abs() < 0.03 * 26.0,
                "{i}, {j}: {found} for {expected}"
            );
        }
    }
}

#[test]
fn resized_crops_lie_in_the_frame_and_have_the_shares_and_shapes_asked_for() {
    let rule = Rule {
        resized: Some(ResizedCrop {
            area: [0.08, 1.0],
            ratio: [0.75, 4.0 / 3.0],
        }),
        ..rule(64)
    };
    let frame = Frame {
        width: 300,
        height: 200,
    };
    let draws: Vec<_> = (0..10_000).map(|sample| rule.draw(3, sample, frame).region).collect();
    for region in &draws {
        assert!(region.x + region.width <= 300 && region.y + region.height <= 200);
        let ratio = f64::from(region.width) / f64::from(region.height);
        assert!((0.72..1.40).contains(&ratio), "{region:?}");
        let share = f64::from(region.width * region.height) / 60_000.0;
        assert!((0.075..=1.0).contains(&share), "{region:?}");
    }
    // Areas are uniform from 0.08 to 1, but one that does not fit the height is drawn again, so the mean is below 0.54.
    let mean: f64 = draws
        .iter()
        .map(|r| f64::from(r.width * r.height) / 60_000.0)
        .sum::<f64>()
        / 10_000.0;
    assert!((0.3..0.54).contains(&mean), "{mean}");
    // A frame that no shape fits gives its largest centred part.
    let line = Frame { width: 1000, height: 2 };
    let region = rule.draw(0, 0, line).region;
    assert!(region.height == 2 && region.width <= 3 && region.x > 490, "{region:?}");
}

#[test]
fn jitter_and_cutout_stay_in_their_ranges() {
    let rule = Rule {
        jitter: Some(JitterRange {
            brightness: 0.4,
            contrast: 0.2,
            saturation: 0.0,
        }),
        cutout: 16,
        ..rule(64)
    };
    let frame = Frame { width: 80, height: 80 };
    let draws: Vec<_> = (0..5000).map(|sample| rule.draw(1, sample, frame)).collect();
    let (mut least, mut greatest) = (2.0_f32, 0.0_f32);
    for draw in &draws {
        let (jitter, hole) = (draw.jitter.unwrap(), draw.hole.unwrap());
        least = least.min(jitter.brightness);
        greatest = greatest.max(jitter.brightness);
        assert!((0.8..=1.2).contains(&jitter.contrast) && jitter.saturation == 1.0);
        assert!(hole.x + hole.width <= 64 && hole.y + hole.height <= 64);
        assert!((8..=16).contains(&hole.width) && (8..=16).contains(&hole.height));
    }
    assert!((0.6..0.61).contains(&least) && (1.39..1.4001).contains(&greatest));
    let plain = Rule {
        jitter: None,
        cutout: 0,
        ..rule
    };
    let same = (0..100).all(|sample| plain.draw(1, sample, frame).region == draws[sample as usize].region);
    assert!(same, "an added augmentation never changes another's draws");
}
