//! WebDataset shards of other makers: tars in which `KEY.jpg` lies beside `KEY.cls`.
//!
//! A member's name is cut at the first dot of its last part into key and extension. A class is a number (then the classes
//! are `0` to the largest) or a name (then they are sorted by their bytes). A sample's name is `SHARD/KEY.EXTENSION`:
//! makers begin counting keys anew in each shard.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::DatasetError;
use super::classes::check;
use super::list::number;
use super::listing::Listing;
use super::map::Mapping;
use super::shards::Shards;
use super::tar::{Member, for_each_member};

/// What an image may be called.
const EXTENSIONS: [&str; 4] = ["jpg", "jpeg", "png", "ppm"];

/// A class longer than this is none.
const LONGEST_CLASS: u64 = 1024;

/// One key's members in a shard.
#[derive(Default)]
struct Sample {
    /// Name, position and length of the image, and the time in its header.
    image: Option<(String, u64, u64, u64)>,
    /// The class, as written.
    class: Option<String>,
}

/// Lists shards. A sample's number in the listing is that of its member in the shards.
pub(super) fn list(location: &str, files: &[PathBuf]) -> Result<(Vec<String>, Listing, Shards), DatasetError> {
    let mut listing = Listing::default();
    let mut shards = Shards::default();
    let mut ids = BTreeMap::new();
    for file in files {
        list_shard(file, &mut ids, &mut listing, &mut shards)?;
    }
    let classes = number(location, &ids, &mut listing)?;
    check(location, &classes, &listing, 0)?;
    Ok((classes, listing, shards))
}

fn list_shard(
    file: &Path,
    ids: &mut BTreeMap<String, u32>,
    listing: &mut Listing,
    shards: &mut Shards,
) -> Result<(), DatasetError> {
    let shown = file.display().to_string();
    let map = Mapping::open(file).map_err(|source| DatasetError::Unreadable {
        path: shown.clone(),
        source,
    })?;
    let damaged = |reason: String| DatasetError::DamagedTar {
        shard: shown.clone(),
        reason,
    };
    let mut samples: BTreeMap<String, Sample> = BTreeMap::new();
    for_each_member(&shown, &map, &mut |member: Member<'_>| {
        let Some((key, extension)) = split(member.key).filter(|_| member.is_file) else {
            listing.ignored += u64::from(!member.is_folder);
            return Ok(());
        };
        let twice = || damaged(format!("member {} occurs twice", member.key));
        if extension == "cls" {
            let mut bytes = Vec::new();
            map.lend(member.at as usize, member.size.min(LONGEST_CLASS) as usize)
                .copy(&mut bytes);
            let class = str::from_utf8(&bytes).map_or("", str::trim);
            if class.is_empty() || class.contains('/') || member.size > LONGEST_CLASS {
                return Err(damaged(format!("member {} is neither a number nor a name", member.key)));
            }
            let before = samples
                .entry(key.to_owned())
                .or_default()
                .class
                .replace(class.to_owned());
            before.map_or(Ok(()), |_| Err(twice()))
        } else if EXTENSIONS.contains(&extension.as_str()) {
            let image = (member.key.to_owned(), member.at, member.size, member.modified);
            let before = samples.entry(key.to_owned()).or_default().image.replace(image);
            before.map_or(Ok(()), |_| Err(damaged(format!("key {key} has more than one image"))))
        } else {
            listing.ignored += 1;
            Ok(())
        }
    })?;
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let number = shards.maps.len() as u32;
    for (key, sample) in samples {
        let Some((name, at, size, modified)) = sample.image else {
            listing.ignored += 1;
            continue;
        };
        let Some(class) = sample.class else {
            return Err(damaged(format!(
                "key {key} has an image and no {key}.cls with its class"
            )));
        };
        let next = ids.len() as u32;
        let label = *ids.entry(class).or_insert(next);
        let member = shards.push(number, at, 0, None, &name);
        listing.push(label, &format!("{stem}/{name}"), size, modified, member);
    }
    shards.maps.push(map);
    Ok(())
}

/// Key and extension, in small letters; `None` for hidden files and such without an extension.
fn split(name: &str) -> Option<(&str, String)> {
    let last = name.rfind('/').map_or(0, |slash| slash + 1);
    let dot = last + name[last..].find('.')?;
    (dot > last).then(|| (&name[..dot], name[dot + 1..].to_ascii_lowercase()))
}
