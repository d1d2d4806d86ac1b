//! Checks before the run whether the images are large enough for the crops, as far as this can be known.

use std::sync::Arc;

use super::{PlanError, workspace};
use crate::config::Config;
use crate::config::run::OnBadImage;
use crate::stages::Sets;

/// Looks at some images of both sets. Returns the bytes that a decode worker needs. Refuses a crop if more images are too small
/// than the run would tolerate, as far as these images tell, so that the run does not end halfway. With `decode.shorter_side`
/// all images are large enough.
pub(super) fn look_at_images(config: &Config, sets: &Sets, has_val: bool) -> Result<u64, PlanError> {
    let crop = match config.decode.shorter_side {
        Some(_) => 0,
        None => config.augment.crop.get() as u32,
    };
    // A crop of random size is scaled up itself.
    let of_train = if config.augment.random_resized_crop.is_some() {
        0
    } else {
        crop
    };
    let allowed = match config.run.on_bad_image {
        OnBadImage::Fail => 0,
        OnBadImage::Skip | OnBadImage::Quarantine => config.run.bad_images_max,
    };
    let mut looked = Vec::new();
    // An evaluation has only one set.
    if !(has_val && Arc::ptr_eq(&sets.train, &sets.val)) {
        looked.push(("train", &sets.train, workspace::look(&sets.train, of_train)));
    }
    if has_val {
        looked.push(("val", &sets.val, workspace::look(&sets.val, crop)));
    }
    // Summed over both sets, because the run counts that way too.
    let small = looked
        .iter()
        .map(|(_, set, seen)| seen.small_among(set.len()))
        .fold(0, u32::saturating_add);
    let mut small_ones = looked
        .iter()
        .filter_map(|&(key, set, seen)| Some((key, set, seen, seen.first_small?)));
    match small_ones.next().filter(|_| small > allowed) {
        None => Ok(looked.iter().map(|(.., seen)| seen.bytes).max().unwrap_or(0)),
        Some((key, set, seen, (sample, frame))) => Err(PlanError::Crop {
            crop: config.augment.crop.get() as u32,
            key,
            sample: set.where_is(sample),
            width: frame.width,
            height: frame.height,
            small: seen.small,
            examined: seen.looked_at,
            budget: match config.run.on_bad_image {
                OnBadImage::Fail => String::new(),
                OnBadImage::Skip | OnBadImage::Quarantine => {
                    format!("; the run would skip at least {small}, but run.bad_images_max is {allowed}")
                }
            },
        }),
    }
}
