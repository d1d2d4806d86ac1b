//! Cached statistics of a training set.

use pipeline::dataset::statistics::{MeanImage, Statistics};

use super::data::fit_for_people;
use super::{Target, place};

pub(super) const TARGET: Target = Target {
    name: "statistics",
    run,
    seeds,
    words: &[
        b"\"shape\":[]",
        b"\"shape\":[1]",
        b"\"shape\":[0,0,3]",
        b"\"dtype\":\"F64\"",
        b"\"dtype\":\"F32\"",
        b"mean_image",
        b"counts",
        &[0, 0, 0xc0, 0x7f],
        &[0, 0, 0, 0, 0, 0, 0xf8, 0x7f],
        &[0xff; 8],
    ],
    memory: 32 << 20,
};

fn run(bytes: &[u8]) {
    let path = place::empty().join("statistics.safetensors");
    place::write(&path, bytes);
    match Statistics::kept(&path) {
        Ok(kept) => kept.iter().for_each(make_sense),
        Err(error) => fit_for_people(&error.to_string()),
    }
    // Preceded by their checksum.
    match Statistics::from_bytes(bytes) {
        Ok(statistics) => {
            make_sense(&statistics);
            statistics.keep(&path).unwrap();
            assert_eq!(
                Statistics::kept(&path).unwrap(),
                Some(statistics),
                "the cached statistics differ"
            );
        }
        Err(error) => fit_for_people(&error.to_string()),
    }
}

/// Statistics decide the weights of a run, so every number must be usable.
pub(super) fn make_sense(statistics: &Statistics) {
    let Statistics {
        channel_mean,
        eigenvalues,
        eigenvectors,
        mean_image,
        ..
    } = statistics;
    let numbers = channel_mean
        .iter()
        .chain(eigenvalues)
        .chain(eigenvectors.iter().flatten());
    assert!(numbers.copied().all(f64::is_finite), "invalid numbers: {statistics:?}");
    if let Some(MeanImage { side, values }) = mean_image {
        assert_eq!(
            values.len() as u64,
            3 * u64::from(*side).pow(2),
            "a mean image of another size"
        );
        assert!(values.iter().all(|value| value.is_finite()), "an invalid mean image");
    }
}

/// Some statistics, with a mean image of `side` pixels.
pub(super) fn some(side: Option<u32>) -> Statistics {
    let image = |side| MeanImage {
        side,
        values: vec![100.0; 3 * (side * side) as usize],
    };
    Statistics {
        images: 12,
        skipped: 1,
        channel_mean: [120.0, 110.0, 100.0],
        mean_image: side.map(image),
        eigenvalues: [0.2, 0.1, 0.05],
        eigenvectors: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let path = place::empty().join("seed.safetensors");
    let saved = |statistics: Statistics| {
        statistics.keep(&path).unwrap();
        std::fs::read(&path).unwrap()
    };
    let not_finite = Statistics {
        channel_mean: [f64::NAN, f64::INFINITY, 0.0],
        ..some(None)
    };
    let other_size = Statistics {
        mean_image: Some(MeanImage {
            side: 2,
            values: vec![1.0; 12],
        }),
        ..some(None)
    };
    [some(None), some(Some(3)), not_finite, other_size].map(saved).into()
}
