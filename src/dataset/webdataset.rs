//! WebDataset shards from elsewhere: tars with `KEY.jpg` beside `KEY.cls`.
//!
//! A member's name is split at the first dot of its last part into key and extension. A class is a number (then the classes
//! are `0` to the largest) or a name (then they are sorted by their bytes). A sample's name is `SHARD/KEY.EXTENSION`,
//! because many writers restart the keys in each shard.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::DatasetError;
use super::extension::is_extension;
use super::few::few;
use super::ignored::Ignored;
use super::list::number;
use super::listing::Listing;
use super::map::Mapping;
use super::name::{ClassName, SampleName};
use super::shards::{Form, Shards};
use super::tar::{self, Extent, Member, Members};
use crate::text::{self, plain};

/// The extension of a sample's class.
const CLASS: &str = "cls";

/// A longer text is not a class.
const LONGEST_CLASS: u64 = 1024;

/// One key's members in a shard.
#[derive(Default)]
struct Sample<'a> {
    /// The image's name, its extent, and the time in its header.
    image: Option<(&'a str, Extent, u64)>,
    /// The class, as written.
    class: Option<String>,
}

/// The state of the reader.
struct Reading {
    listing: Listing,
    shards: Shards,
    /// Numbers of the classes, in the order of appearance.
    ids: BTreeMap<String, u32>,
    /// The extensions of the members.
    extensions: Ignored,
}

/// Lists shards. A sample's number in the listing is that of its member in the shards.
pub(super) fn list(location: &str, files: &[PathBuf]) -> Result<(Vec<String>, Listing, Shards), DatasetError> {
    let mut reading = Reading {
        listing: Listing::default(),
        shards: Shards::new(Form::WebDataset),
        ids: BTreeMap::new(),
        extensions: Ignored::default(),
    };
    for file in files {
        reading.shard(file)?;
    }
    let Reading {
        mut listing,
        shards,
        ids,
        extensions,
    } = reading;
    if listing.len() == 0 && !extensions.is_empty() {
        return Err(DatasetError::NoLabels {
            location: location.to_owned(),
            found: format!("{} members without a label: {}", extensions.count(), extensions.kinds()),
        });
    }
    let classes = number(location, &ids, &mut listing)?;
    Ok((classes, listing, shards))
}

/// A member that tells a sample's class, or any other member beside an image of the same key. Class tars have none.
pub(super) fn class_of_a_key(members: &Members) -> Option<&str> {
    let mut seen: HashMap<&str, &str> = HashMap::new();
    for member in members.iter().filter(|member| !member.is_folder) {
        let Some((key, extension)) = split(member.key) else {
            continue;
        };
        let is_image = is_extension(&extension);
        if extension == CLASS {
            return Some(member.key);
        }
        match seen.get(key) {
            Some(_) if !is_image => return Some(member.key),
            Some(other) if split(other).is_some_and(|(_, extension)| !is_extension(&extension)) => return Some(other),
            _ => {
                seen.insert(key, member.key);
            }
        }
    }
    None
}

impl Reading {
    fn shard(&mut self, file: &Path) -> Result<(), DatasetError> {
        let (map, members) = tar::open(file)?;
        let mut samples: BTreeMap<&str, Sample<'_>> = BTreeMap::new();
        for member in members.iter() {
            self.member(&member, &map, &mut samples)?;
        }
        let stem = file.file_stem().and_then(|stem| stem.to_str());
        let stem = stem.ok_or_else(|| DatasetError::NotUtf8 { path: text::path(file) })?;
        let number = self.shards.maps.len() as u32;
        for (key, sample) in samples {
            let Some((image, extent, modified)) = sample.image else {
                self.listing.ignore(None, CLASS_WITHOUT_IMAGE);
                continue;
            };
            let class = sample.class.ok_or_else(|| lacks_class(file, &members, key))?;
            let next = self.ids.len() as u32;
            let label = match self.ids.get(&class) {
                Some(&label) => label,
                None => *self.ids.entry(class).or_insert(next),
            };
            let name = format!("{stem}/{image}");
            let name = SampleName::new(&name).map_err(DatasetError::name(&text::path(file), &name))?;
            let member = self.shards.push(number, extent.at, 0, None, image);
            self.listing.push(label, name, extent.size, modified, member);
        }
        self.shards.maps.push(map);
        Ok(())
    }

    /// Takes in a member.
    fn member<'a>(
        &mut self,
        member: &Member<'a>,
        map: &'a Mapping,
        samples: &mut BTreeMap<&'a str, Sample<'a>>,
    ) -> Result<(), DatasetError> {
        if member.is_folder {
            return Ok(());
        }
        let Some((key, extension)) = split(member.key) else {
            self.listing.ignore(None, member.key);
            return Ok(());
        };
        self.extensions.add_extension(&extension);
        if extension != CLASS && !is_extension(&extension) {
            self.listing.ignore(None, member.key);
            return Ok(());
        }
        let Some(extent) = member.file()? else {
            self.listing.ignore(None, member.key);
            return Ok(());
        };
        let sample = samples.entry(key).or_default();
        if extension == CLASS {
            let class = class(member, map, extent)?;
            match sample.class.replace(class) {
                Some(_) => Err(member.refuse("occurs twice")),
                None => Ok(()),
            }
        } else {
            match sample.image.replace((member.key, extent, member.modified)) {
                Some(_) => Err(member.refuse("is a second image for its key")),
                None => Ok(()),
            }
        }
    }
}

/// A class without an image is counted under this name.
const CLASS_WITHOUT_IMAGE: &str = "KEY.cls";

/// Reads a class.
fn class(member: &Member<'_>, map: &Mapping, extent: Extent) -> Result<String, DatasetError> {
    let Extent { at, size } = extent;
    let mut bytes = Vec::new();
    map.lend(at as usize, size.min(LONGEST_CLASS) as usize).copy(&mut bytes);
    let refuse = |reason: &str| member.refuse(&format!("is neither a number nor a name: {reason}"));
    if size > LONGEST_CLASS {
        return Err(refuse(&format!("it has {size} bytes")));
    }
    let class = str::from_utf8(&bytes).map_err(|_| refuse("it is not UTF-8"))?.trim();
    ClassName::new(class).map_err(|fault| refuse(&fault.to_string()))?;
    Ok(class.to_owned())
}

/// The error for an image without a class. The other members of its key show how the shard was made.
fn lacks_class(file: &Path, members: &Members, key: &str) -> DatasetError {
    let others = members.iter().filter_map(|member| {
        let (its, extension) = split(member.key)?;
        let is_other = its == key && !is_extension(&extension);
        is_other.then(|| member.key[key.len() + 1..].to_owned())
    });
    let others: Vec<String> = others.collect();
    let beside = match others.len() {
        0 => String::new(),
        _ => format!(
            " (other members of the key: {}; labels are read from KEY.{CLASS} only)",
            few(others.iter().map(String::as_str))
        ),
    };
    DatasetError::Shard {
        shard: text::path(file),
        reason: format!(
            "key {0} has an image, but there is no {0}.{CLASS} with its class{beside}",
            plain(key)
        ),
    }
}

/// Key and extension, in lower case; `None` for hidden files and files without an extension.
fn split(name: &str) -> Option<(&str, String)> {
    let last = name.rfind('/').map_or(0, |slash| slash + 1);
    let dot = last + name[last..].find('.')?;
    (dot > last).then(|| (&name[..dot], name[dot + 1..].to_ascii_lowercase()))
}
