//! Checks that every member and file of a pack is unchanged.

use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use super::hash;
use super::lines::{Place, Sum};
use super::open::Lines;
use super::{MANIFEST, Manifest, STATISTICS, Shard};
use crate::checksum::digits;
use crate::dataset::DatasetError;
use crate::dataset::map::Mapping;
use crate::text::{self, plain};

/// The result of the check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Members checked.
    pub samples: u64,
    /// The faults, one per text.
    pub faults: Vec<String>,
    /// Files that the system does not let us read, with its reasons. They may be good.
    pub unreadable: Vec<String>,
}

impl Verified {
    fn note(&mut self, error: &DatasetError) {
        match error {
            DatasetError::Unreadable { .. } => self.unreadable.push(error.to_string()),
            _ => self.faults.push(error.to_string()),
        }
    }
}

/// Reads all of the pack in `folder`. `progress` gets the number of samples in each finished shard.
pub fn verify(folder: &Path, mut progress: impl FnMut(u64)) -> Result<Verified, DatasetError> {
    let manifest = Manifest::read(folder)?;
    let mut found = Verified::default();
    let mut counts = vec![0; manifest.classes.len()];
    for shard in &manifest.shards {
        if let Err(error) = verify_shard(folder, shard, &mut counts, &mut found) {
            found.note(&error);
        }
        progress(u64::from(shard.samples));
    }
    for (class, count) in manifest.classes.iter().zip(&counts) {
        // Without a shard, its samples are missing too.
        if class.samples != *count && found.unreadable.is_empty() {
            let (path, name, said) = (folder.join(MANIFEST), &class.name, class.samples);
            let fault = format!(
                "{}: class {name:?} has {count} samples instead of {said}",
                text::path(&path)
            );
            found.faults.push(fault);
        }
    }
    if let Err(error) = hash::read(&folder.join(STATISTICS), &manifest.stats_xxh3) {
        found.note(&error);
    }
    Ok(found)
}

fn verify_shard(folder: &Path, shard: &Shard, counts: &mut [u64], found: &mut Verified) -> Result<(), DatasetError> {
    let tar = folder.join(&shard.file);
    let shown = text::path(&tar);
    let map = Mapping::open(&tar).map_err(DatasetError::unreadable(&tar))?;
    let before = found.faults.len();
    if map.bytes().len() as u64 != shard.bytes {
        let (length, said) = (map.bytes().len(), shard.bytes);
        let fault = format!("{shown}: has {length} bytes, but {MANIFEST} says {said}");
        found.faults.push(fault);
    }
    let lines = Lines::read(folder, shard)?;
    for (place, sum) in lines.places.iter().zip(&lines.sums) {
        found.samples += 1;
        if let Some(count) = counts.get_mut(sum.label as usize) {
            *count += 1;
        }
        if let Some(what) = fault_of(&map, place, sum) {
            let key = format!("{}.{}", plain(&sum.key), plain(&place.extension));
            found.faults.push(format!("shard {shown}, key {key}: {what}"));
        }
    }
    // Last, so that a bad member is named rather than the shard alone.
    if found.faults.len() == before && digits(xxh3_64(map.bytes())) != shard.xxh3 {
        let fault = format!("{shown}: bytes outside of its members have changed since they were written");
        found.faults.push(fault);
    }
    if let Err(length) = map.check(map.bytes().len() as u64) {
        let fault = format!("{shown}: was truncated to {length} bytes while it was read");
        found.faults.push(fault);
    }
    Ok(())
}

/// The fault of a sample's two members, if any.
fn fault_of(map: &Mapping, place: &Place, sum: &Sum) -> Option<&'static str> {
    let bytes = |at: u64, bytes: u64| map.bytes().get(at as usize..at.checked_add(bytes)? as usize);
    let Some(image) = bytes(place.image.at, place.image.bytes) else {
        return Some("is beyond the end of the shard");
    };
    if xxh3_64(image) != sum.member {
        return Some("it has changed since it was written");
    }
    match bytes(place.class.at, place.class.bytes) {
        Some(class) if class == sum.label.to_string().as_bytes() => None,
        _ => Some("its class has changed since it was written"),
    }
}
