//! Opens a pack: its manifest, then the two files of lines beside each shard. The shards are mapped, but not read.

use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use super::lines::{Place, Sum};
use super::shard::hex;
use super::{Frames, MANIFEST, Manifest, Mode, STATISTICS, Shard};
use crate::dataset::listing::Listing;
use crate::dataset::map::Mapping;
use crate::dataset::shards::{Form, Shards, Sums};
use crate::dataset::statistics::Statistics;
use crate::dataset::{DatasetError, SampleName, whole};
use crate::text::{self, plain};

/// The limit on a file of lines, which has some 200 bytes per sample.
const MOST_BYTES: u64 = 1 << 30;

/// What training needs to know of a pack.
#[derive(Clone, Debug)]
pub struct Pack {
    /// Its folder.
    pub folder: PathBuf,
    /// How its images are stored.
    pub mode: Mode,
    /// How they were preprocessed (`passthrough`: before they were counted in the statistics).
    pub frames: Frames,
    /// The side of every frame, if all are squares of one size.
    pub square_side: Option<u32>,
    /// The hash that the statistics must have.
    stats_xxh3: String,
}

impl Pack {
    fn new(folder: &Path, manifest: &Manifest) -> Self {
        Self {
            folder: folder.to_owned(),
            mode: manifest.settings.mode,
            frames: manifest.settings.frames,
            square_side: manifest.square_side,
            stats_xxh3: manifest.stats_xxh3.clone(),
        }
    }

    /// The mean image, channel means and principal components of its frames.
    pub fn statistics(&self) -> Result<Statistics, DatasetError> {
        let path = self.folder.join(STATISTICS);
        let bytes = read(&path, &self.stats_xxh3)?;
        Statistics::from_bytes(&bytes).map_err(|error| damaged(&path, error))
    }

    /// Whether decoding its members as `wanted` gives the frames of its statistics. `dct_scaling`: whether JPEGs may be
    /// decoded at a fraction of their size.
    pub fn has_frames(&self, wanted: Frames, dct_scaling: bool) -> bool {
        let packed = self.frames;
        let is_square = packed.square || self.square_side.is_some();
        if self.mode == Mode::Passthrough {
            // The statistics are of frames made with DCT scaling. It has no effect if nothing is resized.
            if packed.shorter_side.is_some() && !dct_scaling {
                return false;
            }
            let same_shape = packed.square == wanted.square || is_square;
            return (packed.shorter_side, packed.exif) == (wanted.shorter_side, wanted.exif) && same_shape;
        }
        // Members are upright and have no EXIF. Resizing to the size that they have (and so DCT scaling) changes nothing.
        wanted.shorter_side.is_none_or(|side| packed.shorter_side == Some(side)) && (!wanted.square || is_square)
    }
}

/// Lists the pack in `folder`. A sample's number in the listing is that of its member in the shards.
pub(in crate::dataset) fn list(folder: &Path) -> Result<(Vec<String>, Listing, Shards), DatasetError> {
    let manifest = Manifest::read(folder)?;
    let classes: Vec<String> = manifest.classes.iter().map(|class| class.name.clone()).collect();
    let mut listing = Listing::default();
    // A class has no members if all of its images were left out.
    listing.may_lack = true;
    let mut shards = Shards::new(Form::Pack(Pack::new(folder, &manifest)));
    for shard in &manifest.shards {
        list_shard(folder, shard, &classes, &mut listing, &mut shards)?;
    }
    Ok((classes, listing, shards))
}

fn list_shard(
    folder: &Path,
    shard: &Shard,
    classes: &[String],
    listing: &mut Listing,
    shards: &mut Shards,
) -> Result<(), DatasetError> {
    let tar = folder.join(&shard.file);
    let number = shards.maps.len() as u32;
    let map = Mapping::open(&tar).map_err(DatasetError::unreadable(&tar))?;
    let length = map.bytes().len() as u64;
    if length != shard.bytes {
        let said = shard.bytes;
        return Err(damaged(&tar, format!("has {length} bytes, but {MANIFEST} says {said}")));
    }
    let lines = Lines::read(folder, shard)?;
    for (place, sum) in lines.places.iter().zip(&lines.sums) {
        let key = format!("{}.{}", sum.key, place.extension);
        let refuse = |reason: &str| damaged(&tar.with_extension("sums"), format!("key {}: {reason}", plain(&key)));
        let class = classes.get(sum.label as usize);
        let class = class.ok_or_else(|| refuse("its label belongs to no class"))?;
        let name = sum
            .id
            .strip_prefix(class.as_str())
            .and_then(|rest| rest.strip_prefix('/'));
        let name = name.ok_or_else(|| refuse("its id does not begin with its class"))?;
        let name = SampleName::new(name).map_err(|fault| refuse(&format!("its name {name:?} is refused: {fault}")))?;
        let span = place.image;
        if span.at.checked_add(span.bytes).is_none_or(|end| end > length) {
            let reason = format!("key {} is outside of the shard", plain(&key));
            return Err(damaged(&tar.with_extension("idx"), reason));
        }
        let sums = Sums {
            member: sum.member,
            original: sum.original,
        };
        let member = shards.push(number, span.at, sum.index, Some(sums), &key);
        listing.push(sum.label, name, span.bytes, sum.member, member);
    }
    shards.maps.push(map);
    Ok(())
}

/// The lines of `.idx` and `.sums` beside a shard, equally many of both.
pub(super) struct Lines {
    pub(super) places: Vec<Place>,
    pub(super) sums: Vec<Sum>,
}

impl Lines {
    /// Reads both files and checks their hashes, because results depend on them.
    pub(super) fn read(folder: &Path, shard: &Shard) -> Result<Self, DatasetError> {
        let text =
            |path: &Path, sum: &str| String::from_utf8(read(path, sum)?).map_err(|_| damaged(path, "is not UTF-8"));
        let tar = folder.join(&shard.file);
        let (idx, sums) = (tar.with_extension("idx"), tar.with_extension("sums"));
        let places = Place::parse_all(&text(&idx, &shard.idx_xxh3)?).map_err(|reason| damaged(&idx, reason))?;
        let parsed = Sum::parse_all(&text(&sums, &shard.sums_xxh3)?).map_err(|reason| damaged(&sums, reason))?;
        if places.len() != parsed.len() || places.len() != shard.samples as usize {
            let reason = format!(
                "has {} lines, but {} has {} and {MANIFEST} says {}",
                parsed.len(),
                text::path(&idx),
                places.len(),
                shard.samples
            );
            return Err(damaged(&sums, reason));
        }
        Ok(Self { places, sums: parsed })
    }
}

/// Reads a file beside the shards and checks its hash.
pub(super) fn read(path: &Path, sum: &str) -> Result<Vec<u8>, DatasetError> {
    let bytes = whole::read(path, MOST_BYTES).map_err(DatasetError::unreadable(path))?;
    if hex(xxh3_64(&bytes)) == sum {
        Ok(bytes)
    } else {
        Err(damaged(path, "it has changed since it was written"))
    }
}

pub(super) fn damaged(path: &Path, reason: impl std::fmt::Display) -> DatasetError {
    DatasetError::DamagedPack {
        path: text::path(path),
        reason: reason.to_string(),
    }
}
