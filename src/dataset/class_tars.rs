//! Class tars, one `CLASS.tar` per class, as in ILSVRC's training images. They are members of one tar, or files in a
//! folder, and are read in place.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::DatasetError;
use super::classes::is_hidden;
use super::extension::is_image;
use super::few::few;
use super::listing::{Listing, Repeats};
use super::map::Mapping;
use super::name::SampleName;
use super::shards::{Form, Shards};
use super::tar::{self, BLOCK, Extent, Member, Members, is_whole};
use super::webdataset;
use crate::text;

/// Tars whose names differ only in a trailing number of at least this many digits are shards, not classes.
const SHARD_DIGITS: usize = 4;

/// The class of a member with this name, if it is a class tar.
pub(super) fn class(name: &str) -> Option<&str> {
    name.strip_suffix(".tar").filter(|class| !class.is_empty())
}

/// Lists the images of class tars inside another tar, from their extents. Classes are sorted by the bytes of their names.
pub(super) fn list(
    shown: &str,
    map: &Mapping,
    tars: &BTreeMap<String, Extent>,
    listing: &mut Listing,
) -> Result<Vec<String>, DatasetError> {
    listing.repeats = Repeats::LastWins;
    for (label, (class, &Extent { at, size })) in tars.iter().enumerate() {
        let inner = format!("{shown}, member {}.tar", text::plain(class));
        // This is within the map: the outer tar's reader has checked every extent.
        let bytes = &map.bytes()[at as usize..(at + size) as usize];
        // Otherwise a cut inside the padding after an image would pass for the end.
        if !bytes.len().is_multiple_of(BLOCK) {
            return Err(DatasetError::DamagedTar {
                shard: inner,
                reason: format!(
                    "it is truncated: {size} bytes are not a whole number of blocks of {BLOCK}; copy it again"
                ),
            });
        }
        for member in Members::read(&inner, bytes, at)?.iter() {
            add(label as u32, &member, listing, |extent| extent.at)?;
        }
    }
    is_whole(shown, map)?;
    Ok(tars.keys().cloned().collect())
}

/// Adds an image of a class tar. `number` is what the storage keeps for it.
fn add(
    label: u32,
    member: &Member<'_>,
    listing: &mut Listing,
    number: impl FnOnce(Extent) -> u64,
) -> Result<(), DatasetError> {
    if member.key.is_empty() || member.key.split('/').any(is_hidden) {
        return Ok(());
    }
    match member.file()? {
        Some(extent) if is_image(member.key) => {
            let name = SampleName::new(member.key).map_err(DatasetError::name(&member.place(), member.key))?;
            listing.push(label, name, extent.size, member.modified, number(extent));
        }
        _ if member.is_folder => {}
        _ => listing.ignore(Some(label), member.key),
    }
    Ok(())
}

/// Lists a folder of tars without classes inside as class tars, if their names and contents say so.
pub(super) fn list_folder(location: &str, files: &[PathBuf]) -> Result<(Vec<String>, Listing, Shards), DatasetError> {
    let mut listing = Listing::default();
    listing.repeats = Repeats::LastWins;
    let mut shards = Shards::new(Form::ClassTars);
    let mut classes = Vec::with_capacity(files.len());
    for (label, file) in files.iter().enumerate() {
        let (map, members) = tar::open(file)?;
        if let Some(class) = webdataset::class_of_a_key(&members) {
            return Err(DatasetError::Shard {
                shard: text::path(file),
                reason: format!(
                    "contains {}, as WebDataset shards do, but {} contains no such file; use a pattern for shards, and a separate \
                     folder for class tars",
                    text::plain(class),
                    text::path(&files[0])
                ),
            });
        }
        one_folder(file, &members)?;
        classes.push(stem(file)?);
        let number = shards.maps.len() as u32;
        for member in members.iter() {
            let mut pushed = |extent: Extent| shards.push(number, extent.at, 0, None, member.key);
            add(label as u32, &member, &mut listing, &mut pushed)?;
        }
        shards.maps.push(map);
    }
    if listing.len() > 0 && only_count(&classes) {
        return Err(DatasetError::NoLabels {
            location: location.to_owned(),
            found: format!(
                "images without KEY.cls in {} tars with numbers for names ({})",
                files.len(),
                few(classes.iter().map(String::as_str))
            ),
        });
    }
    Ok((classes, listing, shards))
}

/// Refuses a tar whose images lie in several folders: these are classes, and the tar is a data set by itself.
fn one_folder(file: &Path, members: &Members) -> Result<(), DatasetError> {
    let images = members
        .iter()
        .filter(|member| !member.is_folder && is_image(member.key));
    let tops: BTreeSet<&str> = images
        .filter_map(|member| Some(member.key.split_once('/')?.0))
        .filter(|top| !is_hidden(top))
        .collect();
    if tops.len() < 2 {
        return Ok(());
    }
    Err(DatasetError::Shard {
        shard: text::path(file),
        reason: format!(
            "contains images in {} folders ({}), so it is not a class tar; if these are the classes, use the tar itself as the data set",
            tops.len(),
            few(tops.iter().copied())
        ),
    })
}

/// A file's name without `.tar`.
fn stem(file: &Path) -> Result<String, DatasetError> {
    let stem = file.file_stem().and_then(|stem| stem.to_str());
    stem.map(str::to_owned)
        .ok_or_else(|| DatasetError::NotUtf8 { path: text::path(file) })
}

/// Whether the names are those of one set's parts: equal except for consecutive numbers of many digits.
fn only_count(names: &[String]) -> bool {
    let split = |name: &str| {
        let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count();
        let (before, number) = name.split_at(name.len() - digits);
        Some((before.to_owned(), digits, number.parse::<u64>().ok()?))
    };
    let Some(parts): Option<Vec<_>> = names.iter().map(|name| split(name)).collect() else {
        return false;
    };
    parts[0].1 >= SHARD_DIGITS
        && parts
            .array_windows()
            .all(|[a, b]| a.0 == b.0 && a.1 == b.1 && a.2.checked_add(1) == Some(b.2))
}

#[cfg(test)]
mod tests {
    use super::only_count;

    #[test]
    fn shards_count_themselves_and_classes_do_not() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        for counted in [
            &["00000", "00001"][..],
            &["x-000007", "x-000008", "x-000009"],
            &["0000"],
        ] {
            assert!(only_count(&names(counted)), "{counted:?}");
        }
        for classes in [
            &["cat", "dog"][..],
            &["0", "1", "2"],
            &["n01440764", "n01443537"],
            &["a-0001", "b-0002"],
        ] {
            assert!(!only_count(&names(classes)), "{classes:?}");
        }
    }
}
