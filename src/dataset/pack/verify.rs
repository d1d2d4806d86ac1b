//! Looks whether a pack still is what was written: every member, every file.

use std::fs;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use super::lines::{Place, Sum};
use super::open::{Lines, damaged};
use super::shard::hex;
use super::{MANIFEST, Manifest, STATISTICS, Shard};
use crate::dataset::DatasetError;
use crate::dataset::map::Mapping;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Members looked at.
    pub samples: u64,
    /// What is not as it was, one fault a text.
    pub faults: Vec<String>,
}

/// Reads all of the pack in `folder`. `progress` is told how many samples a shard had that is done.
pub fn verify(folder: &Path, mut progress: impl FnMut(u64)) -> Result<Verified, DatasetError> {
    let manifest = Manifest::read(folder).map_err(|reason| damaged(&folder.join(MANIFEST), reason))?;
    let mut found = Verified::default();
    let mut counts = vec![0; manifest.classes.len()];
    for shard in &manifest.shards {
        if let Err(error) = verify_shard(folder, shard, &mut counts, &mut found) {
            found.faults.push(error.to_string());
        }
        progress(u64::from(shard.samples));
    }
    for (class, count) in manifest.classes.iter().zip(&counts) {
        if class.samples != *count {
            let (path, name, said) = (folder.join(MANIFEST), &class.name, class.samples);
            let fault = format!("{}: class {name:?} has {count} samples, not {said}", path.display());
            found.faults.push(fault);
        }
    }
    let path = folder.join(STATISTICS);
    compare_file(&path, &manifest.stats_xxh3, &mut found)?;
    Ok(found)
}

fn verify_shard(folder: &Path, shard: &Shard, counts: &mut [u64], found: &mut Verified) -> Result<(), DatasetError> {
    let tar = folder.join(&shard.file);
    compare_file(&tar.with_extension("idx"), &shard.idx_xxh3, found)?;
    compare_file(&tar.with_extension("sums"), &shard.sums_xxh3, found)?;
    let map = Mapping::open(&tar).map_err(|source| DatasetError::Unreadable {
        path: tar.display().to_string(),
        source,
    })?;
    let before = found.faults.len();
    if map.bytes().len() as u64 != shard.bytes {
        let (length, said) = (map.bytes().len(), shard.bytes);
        let fault = format!("{}: has {length} bytes, {MANIFEST} says {said}", tar.display());
        found.faults.push(fault);
    }
    let lines = Lines::read(&tar)?;
    for (place, sum) in lines.places.iter().zip(&lines.sums) {
        found.samples += 1;
        if let Some(count) = counts.get_mut(sum.label as usize) {
            *count += 1;
        }
        if let Some(what) = fault_of(&map, place, sum) {
            let (shard, key) = (tar.display(), format!("{}.{}", sum.key, place.extension));
            found.faults.push(format!("shard {shard}, key {key}: {what}"));
        }
    }
    // Last, so that a member that is at fault is named rather than the shard alone.
    if found.faults.len() == before && hex(xxh3_64(map.bytes())) != shard.xxh3 {
        let fault = format!(
            "{}: a byte outside of its members is not what was written",
            tar.display()
        );
        found.faults.push(fault);
    }
    if let Err(length) = map.check(map.bytes().len() as u64) {
        let fault = format!("{}: was cut to {length} bytes meanwhile", tar.display());
        found.faults.push(fault);
    }
    Ok(())
}

/// What is wrong with a sample's two members.
fn fault_of(map: &Mapping, place: &Place, sum: &Sum) -> Option<&'static str> {
    let bytes = |at: u64, bytes: u64| map.bytes().get(at as usize..at.checked_add(bytes)? as usize);
    let Some(image) = bytes(place.image.at, place.image.bytes) else {
        return Some("lies beyond the shard's end");
    };
    if xxh3_64(image) != sum.member {
        return Some("its bytes are not those that were written");
    }
    match bytes(place.class.at, place.class.bytes) {
        Some(class) if class == sum.label.to_string().as_bytes() => None,
        _ => Some("its class is not the one that was written"),
    }
}

fn compare_file(path: &Path, hash: &str, found: &mut Verified) -> Result<(), DatasetError> {
    let bytes = fs::read(path).map_err(|source| DatasetError::Unreadable {
        path: path.display().to_string(),
        source,
    })?;
    if hex(xxh3_64(&bytes)) != hash {
        let fault = format!("{}: its bytes are not those that were written", path.display());
        found.faults.push(fault);
    }
    Ok(())
}
