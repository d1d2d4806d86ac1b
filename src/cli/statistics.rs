//! Obtains statistics of the training set: from the run's folder, from the cache, or by a pass over the data.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use xxhash_rust::xxh3::Xxh3;

use super::Failure;
use super::run::ending;
use crate::control::{self, Watch};
use crate::dataset::pack::Frames;
use crate::dataset::statistics::{KeptError, Statistics};
use crate::dataset::sums::Sums;
use crate::flow::Stop;
use crate::observe::images::ImagesProgress;
use crate::observe::terminal::tell;
use crate::plan::{Plan, preprocessing};
use crate::text;
use crate::topology;

/// The statistics that `plan` needs, if any: those of the checkpoint if they have what is needed, else stored ones of the
/// same data, else new ones.
pub(super) fn obtain(plan: &Plan, of_run: Option<Statistics>, quiet: bool) -> Result<Option<Statistics>, Failure> {
    if !preprocessing::needs_statistics(&plan.config) {
        return Ok(None);
    }
    if let Some(statistics) = of_run.filter(|statistics| preprocessing::is_served_by(&plan.config, statistics)) {
        return Ok(Some(statistics));
    }
    if let Some(statistics) = of_pack(plan)? {
        return Ok(Some(statistics));
    }
    let cached = match cache_file(plan) {
        Some(path) => of_cache(plan, path),
        None => Cached::Off,
    };
    let path = match cached {
        Cached::Found(statistics) => return Ok(Some(statistics)),
        Cached::Lacking(path) => Some(path),
        Cached::Off => None,
    };
    let statistics = measure(plan, quiet)?;
    if let Some(path) = path
        && let Err(error) = statistics.keep(&path)
    {
        tracing::warn!(path = %text::path(&path), %error, "the statistics could not be cached");
    }
    Ok(Some(statistics))
}

/// The result of a look into the cache.
enum Cached {
    Found(Statistics),
    /// No usable statistics. New ones are to be stored there.
    Lacking(PathBuf),
    /// There is no cache, or its file may be good but cannot be read. Nothing is stored.
    Off,
}

/// Looks into the cache.
fn of_cache(plan: &Plan, path: PathBuf) -> Cached {
    match Statistics::kept(&path) {
        Ok(Some(statistics)) if preprocessing::is_served_by(&plan.config, &statistics) => Cached::Found(statistics),
        Ok(None) => Cached::Lacking(path),
        Ok(Some(_)) => {
            tracing::warn!(path = %text::path(&path), "the cached statistics are of other frames; computing them again");
            Cached::Lacking(path)
        }
        Err(error @ KeptError::Damaged(_)) => {
            tracing::warn!(path = %text::path(&path), %error, "the cached statistics are damaged; computing them again");
            Cached::Lacking(path)
        }
        Err(error @ KeptError::Unreadable(_)) => {
            tracing::warn!(path = %text::path(&path), %error, "the cached statistics cannot be read; computing them again for this run and leaving the file as it is");
            Cached::Off
        }
    }
}

/// The statistics of a pack, if its frames are those that the run sees and nothing is missing.
fn of_pack(plan: &Plan) -> Result<Option<Statistics>, Failure> {
    let train = &plan.sets.train;
    // A pack's own statistics cover all its images.
    let Some(pack) = train.pack().filter(|_| train.part_of().is_none()) else {
        return Ok(None);
    };
    let decode = &plan.config.decode;
    let frames = Frames {
        shorter_side: decode.shorter_side,
        square: decode.square,
        exif: decode.exif,
    };
    if !pack.has_frames(frames, decode.dct_scaling) {
        return Ok(None);
    }
    let statistics = pack.statistics().map_err(Failure::failed)?;
    Ok(Some(statistics).filter(|statistics| preprocessing::is_served_by(&plan.config, statistics)))
}

/// The cache file: one per content of the data and per preprocessing.
fn cache_file(plan: &Plan) -> Option<PathBuf> {
    let folder = plan.config.data.cache.clone().or_else(|| {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
        cache.or_else(home).map(|cache| cache.join("pipeline"))
    })?;
    let decode = &plan.config.decode;
    let mut hash = Xxh3::new();
    hash.update(&plan.sets.train.content_stamp().to_le_bytes());
    hash.update(
        format!(
            "{:?} {} {} {} {:?}",
            decode.shorter_side,
            decode.square,
            decode.exif,
            decode.dct_scaling,
            preprocessing::mean_image_side(&plan.config)
        )
        .as_bytes(),
    );
    Some(folder.join(format!("statistics-{:016x}.safetensors", hash.digest())))
}

fn measure(plan: &Plan, quiet: bool) -> Result<Statistics, Failure> {
    plan.refuse_statistics_beyond_all().map_err(Failure::plan)?;
    let total = u64::from(plan.itinerary.train_samples);
    let progress = ImagesProgress::new(total, "statistics of the training set", 0, quiet);
    if !quiet && !progress.is_live() {
        tell!("statistics of the training set: one pass over {total} images");
    }
    let stop = Stop::default();
    let count = progress.clone();
    let (topology, sums) = topology::measuring(plan, &stop, Arc::new(move || count.add(1)));
    let watch = Watch::silent(Duration::from_secs(u64::from(plan.config.run.stall_after_s)));
    let end = control::supervise(topology, &stop, watch);
    progress.end();
    ending(end, || "training has not begun; run the same command again".to_string())?;
    let mut all = Sums::new(preprocessing::mean_image_side(&plan.config));
    while let Some(part) = sums.next().map_err(|lost| Failure::Internal(format!("{lost:?}")))? {
        all.merge(&part);
    }
    all.finish()
        .ok_or_else(|| Failure::Failed(format!("{}: no image can be decoded", plan.config.data.train)))
}
