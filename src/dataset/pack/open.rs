//! Opens a pack: its manifest, then the two files of lines beside each shard. The shards are mapped, but not read.

use std::path::Path;

use super::lines::{Place, Sum};
use super::{MANIFEST, Manifest, Pack, Shard, hash};
use crate::dataset::listing::Listing;
use crate::dataset::map::Mapping;
use crate::dataset::shards::{Form, Shards, Sums};
use crate::dataset::{DatasetError, SampleName};
use crate::text::{self, plain};

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
        return Err(DatasetError::damaged_pack(
            &tar,
            format!("has {length} bytes, but {MANIFEST} says {said}"),
        ));
    }
    let lines = Lines::read(folder, shard)?;
    for (place, sum) in lines.places.iter().zip(&lines.sums) {
        let key = format!("{}.{}", sum.key, place.extension);
        let refuse = |reason: &str| {
            DatasetError::damaged_pack(&tar.with_extension("sums"), format!("key {}: {reason}", plain(&key)))
        };
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
            return Err(DatasetError::damaged_pack(&tar.with_extension("idx"), reason));
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
        let text = |path: &Path, sum: &str| {
            String::from_utf8(hash::read(path, sum)?).map_err(|_| DatasetError::damaged_pack(path, "is not UTF-8"))
        };
        let tar = folder.join(&shard.file);
        let (idx, sums) = (tar.with_extension("idx"), tar.with_extension("sums"));
        let places = Place::parse_all(&text(&idx, &shard.idx_xxh3)?)
            .map_err(|reason| DatasetError::damaged_pack(&idx, reason))?;
        let parsed = Sum::parse_all(&text(&sums, &shard.sums_xxh3)?)
            .map_err(|reason| DatasetError::damaged_pack(&sums, reason))?;
        if places.len() != parsed.len() || places.len() != shard.samples as usize {
            let reason = format!(
                "has {} lines, but {} has {} and {MANIFEST} says {}",
                parsed.len(),
                text::path(&idx),
                places.len(),
                shard.samples
            );
            return Err(DatasetError::damaged_pack(&sums, reason));
        }
        Ok(Self { places, sums: parsed })
    }
}
