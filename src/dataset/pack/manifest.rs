//! `dataset.json`: a description of the pack, with every setting that decides its bytes.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::checksum;
use crate::dataset::name::Classes;
use crate::dataset::{ClassName, DatasetError, whole};
use crate::text;

/// The manifest in a pack's folder. It is written last: if it exists, the pack is complete.
pub const MANIFEST: &str = "dataset.json";
/// The file beside it, with mean image, channel means and principal components.
pub const STATISTICS: &str = "stats.safetensors";
/// The value of `format`.
pub(super) const FORMAT: &str = "pipeline-pack";
/// The version that this program writes and reads.
pub(super) const VERSION: u32 = 2;
/// The largest side of frames with a mean image. The sums of larger frames would take hundreds of megabytes, and no network
/// reads such frames.
pub const LARGEST_MEAN: u32 = 1024;

/// The limit on the file's size. A pack of ImageNet has 100 kB, and each image left out takes some 200 bytes.
const MAX_BYTES: u64 = 1 << 30;

/// How an image is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Its frame as a JPEG.
    Jpeg,
    /// Its frame's pixels, as a binary PPM.
    Raw,
    /// The file unchanged.
    Passthrough,
}

impl Mode {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Raw => "raw",
            Self::Passthrough => "passthrough",
        }
    }
}

/// The preprocessing of an image before it is written (`passthrough`: before it is counted in the statistics).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frames {
    /// The shorter side after resizing; absent: no resizing.
    pub shorter_side: Option<u32>,
    /// Whether only the central square is kept.
    pub square: bool,
    /// Whether the EXIF orientation is applied.
    pub exif: bool,
}

/// Where the samples came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// As the user wrote it.
    pub location: String,
    /// Hash of its ids, labels and lengths, in hexadecimal digits.
    pub fingerprint: String,
    /// Its samples, good and bad.
    pub samples: u32,
}

/// Every setting that decides the bytes of a pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// `pipeline-pack`.
    pub format: String,
    /// The version of the format.
    pub version: u32,
    /// The program and its version: another one may compress differently.
    pub writer: String,
    /// The prefix of the shards' names.
    pub split: String,
    /// How images are stored.
    pub mode: Mode,
    /// How images are preprocessed.
    pub frames: Frames,
    /// The quality of the JPEGs; absent in other modes.
    pub quality: Option<u32>,
    /// The seed of the order in which samples are dealt over the shards; absent: canonical order.
    pub dealing_seed: Option<u64>,
    /// Samples of the source per shard.
    pub per_shard: u32,
    /// Where the samples came from.
    pub source: Origin,
}

impl Settings {
    /// The settings for a new pack, in the current format.
    pub fn new(split: String, mode: Mode, frames: Frames, source: Origin) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            writer: concat!("pipeline ", env!("CARGO_PKG_VERSION")).to_owned(),
            split,
            mode,
            frames,
            quality: None,
            dealing_seed: None,
            per_shard: 2000,
            source,
        }
    }

    /// The source's sample at each position of the pack.
    pub fn order(&self) -> Vec<u32> {
        match self.dealing_seed {
            Some(seed) => crate::rng::dealing(seed, self.source.samples),
            None => (0..self.source.samples).collect(),
        }
    }

    /// The number of shards in the whole pack.
    pub fn shards(&self) -> u32 {
        self.source.samples.div_ceil(self.per_shard)
    }

    /// `train-000007` for shard 7.
    pub fn stem(&self, shard: u32) -> String {
        format!("{}-{shard:06}", self.split)
    }

    /// The settings that differ: `quality is 90 there, 80 here`.
    pub(super) fn differences(&self, here: &Self) -> Vec<String> {
        let fields = |settings: &Self| match serde_json::to_value(settings) {
            Ok(serde_json::Value::Object(fields)) => fields,
            // A structure of plain fields is always an object.
            _ => serde_json::Map::new(),
        };
        let (there, here) = (fields(self), fields(here));
        let differs = there.iter().filter(|(key, value)| here.get(*key) != Some(value));
        differs
            .map(|(key, value)| {
                let here = here.get(key).unwrap_or(&serde_json::Value::Null);
                format!("{key} was {value}, is now {here}")
            })
            .collect()
    }
}

/// A class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// Its name. Its position in the list is its label.
    pub name: String,
    /// Its samples in the pack.
    pub samples: u64,
}

/// An image that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Its canonical index in the source.
    pub index: u32,
    /// `CLASS/name`.
    pub sample: String,
    /// Its class.
    pub class: String,
    /// Why.
    pub reason: String,
}

/// A shard and the two files beside it. Hashes are xxh3-64 of whole files, in hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// The tar.
    pub file: String,
    /// Samples in it.
    pub samples: u32,
    /// Its length.
    pub bytes: u64,
    /// Its hash.
    pub xxh3: String,
    /// The hash of the `.idx` beside it.
    pub idx_xxh3: String,
    /// The hash of the `.sums` beside it.
    pub sums_xxh3: String,
}

/// `dataset.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The settings of the pack.
    #[serde(flatten)]
    pub settings: Settings,
    /// Samples in the pack.
    pub samples: u64,
    /// The side of every frame, if all are squares of one size.
    pub square_side: Option<u32>,
    /// The classes, in the order of the labels.
    pub classes: Vec<Class>,
    /// The images left out, in canonical order.
    pub skipped: Vec<Skipped>,
    /// The shards, in the order of their numbers.
    pub shards: Vec<Shard>,
    /// The hash of `stats.safetensors`.
    pub stats_xxh3: String,
}

impl Manifest {
    /// Reads the manifest of the pack in `folder`.
    pub fn read(folder: &Path) -> Result<Self, DatasetError> {
        let path = folder.join(MANIFEST);
        let text = whole::read(&path, MAX_BYTES).map_err(DatasetError::unreadable(&path))?;
        let damaged = |reason: String| DatasetError::damaged_pack(&path, reason);
        let head: Head = serde_json::from_slice(&text)
            .map_err(|error| damaged(format!("is not the manifest of a pack: {error}")))?;
        if head.format != FORMAT {
            return Err(damaged(format!(
                "is not the manifest of a pack: its format is {:?}",
                head.format
            )));
        }
        if head.version != VERSION {
            return Err(DatasetError::PackVersion {
                path: text::path(&path),
                version: head.version,
                reads: VERSION,
            });
        }
        let manifest: Self = checksum::from_json(&text).map_err(damaged)?;
        manifest.check().map_err(damaged)?;
        Ok(manifest)
    }

    /// Checks the numbers and names. A checksum only proves that the file is as it was written, not who wrote it.
    fn check(&self) -> Result<(), String> {
        let Settings {
            frames,
            quality,
            per_shard,
            ..
        } = &self.settings;
        let in_range = |what: &str, value: Option<u32>, max: u32| match value {
            Some(value) if value == 0 || value > max => {
                Err(format!("its {what} is {value}, but must be from 1 to {max}"))
            }
            _ => Ok(()),
        };
        in_range("frames.shorter_side", frames.shorter_side, 65_535)?;
        in_range("quality", *quality, 100)?;
        in_range("per_shard", Some(*per_shard), u32::MAX)?;
        in_range("square_side", self.square_side, LARGEST_MEAN)?;
        let names = self.classes.iter().map(|class| class.name.clone()).collect();
        Classes::new(names).map_err(|(name, reason)| format!("{name:?} cannot be the name of a class: {reason}"))?;
        let mut files = HashSet::new();
        for Shard { file, samples, .. } in &self.shards {
            // A manifest that was tampered with must not lead to a file elsewhere.
            if ClassName::new(file).is_err() || file.strip_suffix(".tar").is_none() {
                return Err(format!("its shard {file:?} is not a tar in the folder"));
            }
            if *samples == 0 || !files.insert(file) {
                return Err(format!("its shard {file:?} has no samples, or is listed twice"));
            }
        }
        let in_shards: u64 = self.shards.iter().map(|shard| u64::from(shard.samples)).sum();
        // The numbers are not trusted.
        let in_classes = self
            .classes
            .iter()
            .fold(0, |sum: u64, class| sum.saturating_add(class.samples));
        let samples = self.samples;
        if samples == 0 {
            return Err("has no samples".to_owned());
        }
        if in_shards != samples || in_classes != samples {
            return Err(format!(
                "claims {samples} samples, but its shards have {in_shards} and its classes {in_classes}"
            ));
        }
        Ok(())
    }

    /// The text of the file.
    pub(super) fn text(&self) -> io::Result<Vec<u8>> {
        checksum::to_json(self)
    }

    /// The length of all shards in bytes.
    pub fn bytes(&self) -> u64 {
        // The numbers are not trusted.
        self.shards
            .iter()
            .fold(0, |sum: u64, shard| sum.saturating_add(shard.bytes))
    }
}

/// The part that is checked before the rest is read.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}
