//! The counts of a pack being written. They are whole numbers per shard, so a shard's share can be stored and added later.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::durable::{remove_file, write_synced, write_whole};
use super::{LARGEST_MEAN, PackError, Record, Shard, Skipped};
use crate::checksum::{self, digits};
use crate::dataset::moments::Moments;
use crate::dataset::statistics::MeanImage;
use crate::dataset::whole;
use crate::text;

/// The limit on stored files. A record has some bytes per class and per image left out; the sums of a mean image have at
/// most 25 MB.
const MAX_BYTES: u64 = 1 << 30;

/// The sums at each position of the frame, as long as all frames are squares of one size.
#[derive(Clone, Debug, PartialEq, Eq)]
enum MeanSums {
    /// No frame yet.
    Empty,
    /// All frames so far have this side.
    Square(u32, Vec<u64>),
    /// Frames differ in shape or are too large: there is no mean image.
    None,
}

/// The same without the sums, for the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum MeanKind {
    Empty,
    Square(u32),
    None,
}

/// Counts of a shard, or of a whole pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    /// Samples of each class.
    pub(super) classes: Vec<u64>,
    pub(super) skipped: Vec<Skipped>,
    pub(super) moments: Moments,
    mean: MeanSums,
}

/// The record of a finished shard, stored until the pack is complete.
#[derive(Serialize, Deserialize)]
struct Kept {
    shard: Shard,
    classes: Vec<u64>,
    skipped: Vec<Skipped>,
    moments: Moments,
    mean: MeanKind,
    /// The hash of the mean image's sums, if any.
    mean_xxh3: Option<String>,
}

impl Tally {
    pub(super) fn new(classes: usize) -> Self {
        Self {
            classes: vec![0; classes],
            skipped: Vec::new(),
            moments: Moments::default(),
            mean: MeanSums::Empty,
        }
    }

    /// Counts a sample that was written.
    pub(super) fn add(&mut self, label: u32, record: &Record) {
        self.classes[label as usize] += 1;
        self.moments.merge(&record.moments);
        let (width, height) = record.frame;
        let is_small_square = width == height && width <= LARGEST_MEAN;
        match &mut self.mean {
            MeanSums::Empty if is_small_square => {
                let sums = record.pixels.iter().map(|&value| u64::from(value)).collect();
                self.mean = MeanSums::Square(width, sums);
            }
            MeanSums::Square(side, sums) if is_small_square && *side == width => {
                for (sum, &value) in sums.iter_mut().zip(&record.pixels) {
                    *sum += u64::from(value);
                }
            }
            mean => *mean = MeanSums::None,
        }
    }

    /// Adds another shard's counts.
    pub(super) fn merge(&mut self, other: Self) {
        for (sum, part) in self.classes.iter_mut().zip(other.classes) {
            *sum += part;
        }
        self.skipped.extend(other.skipped);
        self.moments.merge(&other.moments);
        match (&mut self.mean, other.mean) {
            (_, MeanSums::Empty) => {}
            (mean @ MeanSums::Empty, theirs) => *mean = theirs,
            (MeanSums::Square(side, sums), MeanSums::Square(same, theirs)) if *side == same => {
                for (sum, part) in sums.iter_mut().zip(theirs) {
                    *sum += part;
                }
            }
            (mean, _) => *mean = MeanSums::None,
        }
    }

    /// The mean image, if all frames were squares of one size.
    pub(super) fn mean_image(&self) -> Option<MeanImage> {
        match &self.mean {
            MeanSums::Square(side, sums) => Some(MeanImage::of_sums(*side, sums, self.moments.images)),
            _ => None,
        }
    }

    /// Stores the counts of a finished shard in `folder`.
    pub(super) fn keep(&self, folder: &Path, stem: &str, shard: &Shard) -> Result<(), PackError> {
        let (mean, mean_xxh3) = match &self.mean {
            MeanSums::Empty => (MeanKind::Empty, None),
            MeanSums::None => (MeanKind::None, None),
            MeanSums::Square(side, sums) => {
                let bytes: Vec<u8> = sums.iter().flat_map(|sum| sum.to_le_bytes()).collect();
                write_synced(&folder.join(format!("{stem}.mean")), &bytes)?;
                (MeanKind::Square(*side), Some(digits(xxh3_64(&bytes))))
            }
        };
        let kept = Kept {
            shard: shard.clone(),
            classes: self.classes.clone(),
            skipped: self.skipped.clone(),
            moments: self.moments,
            mean,
            mean_xxh3,
        };
        let path = folder.join(format!("{stem}.json"));
        let text = checksum::to_json(&kept).map_err(PackError::write(&path))?;
        write_whole(&path, &text)
    }

    /// The stored counts of a shard of `classes` classes, if `is_whole` accepts the shard. `None` if nothing was stored or
    /// the shard is not whole, and, with a warning, if the stored counts are damaged. Then the shard must be written again.
    ///
    /// The rest is read only for a whole shard: the counts of an unfinished shard may be half written.
    pub(super) fn kept(
        folder: &Path,
        stem: &str,
        classes: usize,
        is_whole: impl FnOnce(&Shard) -> Result<bool, PackError>,
    ) -> Result<Option<(Shard, Self)>, PackError> {
        let path = folder.join(format!("{stem}.json"));
        let Some(text) = read(&path)? else { return Ok(None) };
        let kept: Kept = match checksum::from_json(&text) {
            Ok(kept) => kept,
            Err(reason) => return Ok(made_again(&path, &reason)),
        };
        if kept.classes.len() != classes || kept.shard.file != format!("{stem}.tar") {
            return Ok(made_again(&path, "belongs to another pack"));
        }
        if !is_whole(&kept.shard)? {
            return Ok(None);
        }
        let mean = match kept.mean {
            MeanKind::Empty => MeanSums::Empty,
            MeanKind::None => MeanSums::None,
            MeanKind::Square(side) => {
                let path = folder.join(format!("{stem}.mean"));
                match sums(read(&path)?.as_deref(), side, kept.mean_xxh3.as_deref()) {
                    Some(sums) => MeanSums::Square(side, sums),
                    None => return Ok(made_again(&path, "has changed since it was written")),
                }
            }
        };
        let tally = Self {
            classes: kept.classes,
            skipped: kept.skipped,
            moments: kept.moments,
            mean,
        };
        Ok(Some((kept.shard, tally)))
    }

    /// Removes the stored counts of a shard before it is written again. A record must never exist beside the sums of
    /// another attempt.
    pub(super) fn forget(folder: &Path, stem: &str) -> Result<(), PackError> {
        remove_file(&folder.join(format!("{stem}.json")))
    }
}

/// Warns that stored counts cannot be used.
fn made_again<T>(path: &Path, reason: &str) -> Option<T> {
    tracing::warn!(
        "{}: {reason}; writing this shard and those after it again",
        text::path(path)
    );
    None
}

/// Reads a stored file, if it exists. A file that cannot be read may be good, so that is an error.
fn read(path: &Path) -> Result<Option<Vec<u8>>, PackError> {
    match whole::read(path, MAX_BYTES) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(PackError::read(path)(error)),
    }
}

/// The sums of a mean image, if they have the recorded hash.
fn sums(bytes: Option<&[u8]>, side: u32, sum: Option<&str>) -> Option<Vec<u64>> {
    let bytes = bytes?;
    let (eights, rest) = bytes.as_chunks::<8>();
    let is_right = sum == Some(&digits(xxh3_64(bytes)));
    if side > LARGEST_MEAN || !is_right || !rest.is_empty() || eights.len() != 3 * (side as usize).pow(2) {
        return None;
    }
    Some(eights.iter().map(|eight| u64::from_le_bytes(*eight)).collect())
}
