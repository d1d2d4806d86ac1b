//! Preprocessing of images, from the configuration and the statistics of the training set.

use std::sync::Arc;

use super::PlanError;
use crate::config::Config;
use crate::config::augment::{self as config, Mean, PcaScale};
use crate::dataset::statistics::Statistics;
use crate::devices::row::RowWriter;
use crate::stages::augment::{Mean as Subtracted, Normalization};
use crate::stages::decode::Options;
use crate::stages::rule::{ColourNoise, JitterRange, ResizedCrop};

/// The options for decoding every image.
pub fn decode_options(config: &Config) -> Options {
    let decode = &config.decode;
    Options {
        shorter_side: decode.shorter_side,
        square: decode.square,
        exif: decode.exif,
        dct_scaling: decode.dct_scaling,
        ..Options::default()
    }
}

/// The normalization of crops for the network.
pub fn normalization(
    config: &Config,
    statistics: Option<&Statistics>,
    writer: Arc<dyn RowWriter>,
) -> Result<Normalization, PlanError> {
    let statistics = || statistics.ok_or(PlanError::NoStatistics);
    let mean = match config.augment.mean {
        Mean::Fixed(rgb) => Subtracted::Channel(rgb),
        Mean::Channel => Subtracted::Channel(statistics()?.channel_mean.map(|mean| mean as f32)),
        Mean::Image => {
            let image = statistics()?.mean_image.as_ref();
            // A mean image of other frames would be read out of bounds.
            let image = image.filter(|image| Some(image.side) == mean_image_side(config));
            let image = image.ok_or(PlanError::NoStatistics)?;
            Subtracted::Image {
                side: image.side,
                values: planes(&image.values),
            }
        }
    };
    Ok(Normalization {
        crop: config.augment.crop.get() as u32,
        mean,
        scale: config.augment.std.map_or([1.0; 3], |std| std.map(|s| 1.0 / s)),
        writer,
    })
}

/// Converts interleaved RGB to three planes.
fn planes(values: &[f32]) -> Arc<[f32]> {
    let plane = |channel| values.iter().skip(channel).step_by(3).copied();
    plane(0).chain(plane(1)).chain(plane(2)).collect()
}

/// The colour noise for training, if requested.
pub fn colour_noise(config: &Config, statistics: Option<&Statistics>) -> Option<ColourNoise> {
    let (pca, statistics) = config.augment.pca.as_ref().zip(statistics)?;
    let strength = |i: usize| {
        let value = statistics.eigenvalues[i];
        let scale = if pca.scale == PcaScale::Stddev {
            value.sqrt()
        } else {
            value
        };
        f64::from(pca.sigma) * scale * 255.0
    };
    Some(ColourNoise {
        components: [0, 1, 2].map(|i| statistics.eigenvectors[i].map(|x| x * strength(i))),
    })
}

/// The range of training crops of random size.
pub fn resized_crop(crop: &config::RandomResizedCrop) -> ResizedCrop {
    ResizedCrop {
        area: crop.area,
        ratio: crop.ratio,
    }
}

/// The ranges of colour jitter.
pub fn jitter(jitter: &config::Jitter) -> JitterRange {
    JitterRange {
        brightness: jitter.brightness,
        contrast: jitter.contrast,
        saturation: jitter.saturation,
    }
}

/// Whether training needs a pass over the training set first.
pub fn needs_statistics(config: &Config) -> bool {
    !matches!(config.augment.mean, Mean::Fixed(_)) || config.augment.pca.is_some()
}

/// The side of every frame, if a mean image is wanted.
pub fn mean_image_side(config: &Config) -> Option<u32> {
    (config.augment.mean == Mean::Image)
        .then_some(config.decode.shorter_side)
        .flatten()
}

/// Whether `statistics` hold what `config` needs.
pub fn is_served_by(config: &Config, statistics: &Statistics) -> bool {
    let wanted = mean_image_side(config);
    wanted.is_none() || wanted == statistics.mean_image.as_ref().map(|image| image.side)
}
