//! A tar of class folders, read in place: its headers once, then each image as a slice of the mapped file.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::Path;

use ::tar::Archive;

use super::DatasetError;
use super::class_tars;
use super::classes::{check, is_hidden, is_image};
use super::listing::Listing;
use super::map::Mapping;

/// A tar listed: the class names, the samples (each `at` its position) and the map.
pub(super) struct Listed {
    pub(super) classes: Vec<String>,
    pub(super) listing: Listing,
    pub(super) map: Mapping,
    pub(super) form: Form,
}

/// How a tar holds the images of its classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `CLASS/name`.
    Folders,
    /// `CLASS.tar`, a tar of the class's images.
    ClassTars,
    /// The same, ILSVRC 2012's training images.
    IlsvrcTrain,
    /// ILSVRC 2012's validation images, without folders.
    IlsvrcVal,
}

impl Form {
    /// A sample's key.
    pub(super) fn key(self, class: &str, name: &str) -> String {
        match self {
            Self::Folders => format!("{class}/{name}"),
            Self::ClassTars | Self::IlsvrcTrain => format!("{class}.tar/{name}"),
            Self::IlsvrcVal => name.to_owned(),
        }
    }

    /// What kind of dataset that is, for people.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Folders => "tar",
            Self::ClassTars => "tar of class tars",
            Self::IlsvrcTrain | Self::IlsvrcVal => "ILSVRC 2012",
        }
    }

    /// What the labels count, where there is another usage.
    pub(super) fn labels(self) -> Option<&'static str> {
        match self {
            Self::Folders | Self::ClassTars => None,
            Self::IlsvrcTrain | Self::IlsvrcVal => {
                Some("classes are WNIDs in sorted order, as torchvision and Caffe number them; not ILSVRC2012_ID")
            }
        }
    }
}

/// Where a member lies, in the terms of class folders.
enum Place<'a> {
    Outside,
    Loose,
    Class(&'a str),
    Inside(&'a str, &'a str),
}

/// Lists the class folders under `inside` ("" for the top) of the tar `shard`.
pub(super) fn list(location: &str, shard: &Path, inside: &str) -> Result<Listed, DatasetError> {
    let shown = shard.display().to_string();
    let map = Mapping::open(shard).map_err(|source| DatasetError::Unreadable {
        path: shown.clone(),
        source,
    })?;
    let (mut listing, mut ids, mut loose) = (Listing::default(), BTreeMap::new(), 0);
    let (mut tars, mut images) = (BTreeMap::new(), 0);
    for_each_member(&shown, &map, &mut |member: Member<'_>| {
        match place(member.key, inside) {
            Place::Class(class) if member.is_folder => {
                class_id(&mut ids, class);
            }
            Place::Class(name) if member.is_file && class_tars::class(name).is_some() => {
                // The later of two replaces the earlier, as when the tar is unpacked.
                tars.insert(
                    class_tars::class(name).unwrap_or(name).to_owned(),
                    (member.at, member.size),
                );
            }
            Place::Class(_) if !member.is_folder => loose += 1,
            Place::Loose if !member.is_folder => {
                loose += 1;
                images += 1;
            }
            Place::Inside(class, name) if member.is_file && is_image(name) => {
                let label = class_id(&mut ids, class);
                listing.push(label, name, member.size, member.modified, member.at);
            }
            Place::Inside(class, _) => {
                class_id(&mut ids, class);
                listing.ignored += u64::from(!member.is_folder);
            }
            _ => {}
        }
        Ok(())
    })?;
    if ids.is_empty() && !tars.is_empty() {
        let (classes, mut listing) = class_tars::list(&shown, &map, &tars)?;
        listing.ignored += loose;
        check(location, &classes, &listing, loose)?;
        let form = Form::ClassTars;
        return Ok(Listed {
            classes,
            listing,
            map,
            form,
        });
    }
    if ids.is_empty() && images > 0 {
        return Err(DatasetError::FlatTar {
            location: location.to_owned(),
            images,
        });
    }
    loose += tars.len() as u64;
    if ids.is_empty() && loose == 0 && !inside.is_empty() {
        let hint = format!("{shown} has no folder {inside}");
        return Err(DatasetError::NotFound {
            location: location.to_owned(),
            hint,
        });
    }
    let (classes, to) = by_name(&ids);
    listing.relabel(&to);
    listing.ignored += loose;
    check(location, &classes, &listing, loose)?;
    let form = Form::Folders;
    Ok(Listed {
        classes,
        listing,
        map,
        form,
    })
}

/// One entry of a tar, its name and extent found to be sound.
pub(super) struct Member<'a> {
    /// Its name without `./`.
    pub(super) key: &'a str,
    pub(super) size: u64,
    /// Where its contents begin.
    pub(super) at: u64,
    pub(super) modified: u64,
    pub(super) is_file: bool,
    pub(super) is_folder: bool,
}

/// Visits every member of a tar in the order of the file. Names that lead outside, members beyond the end and such that
/// cannot be read in place are refused.
pub(super) fn for_each_member(
    shown: &str,
    map: &Mapping,
    visit: &mut dyn FnMut(Member<'_>) -> Result<(), DatasetError>,
) -> Result<(), DatasetError> {
    for_each_member_of(shown, map.bytes(), 0, visit)?;
    is_whole(shown, map)
}

/// Checks that a map was not cut short while it was read.
pub(super) fn is_whole(shown: &str, map: &Mapping) -> Result<(), DatasetError> {
    map.check(map.bytes().len() as u64)
        .map_err(|length| DatasetError::DamagedTar {
            shard: shown.to_owned(),
            reason: format!("it was cut to {length} bytes while being read"),
        })
}

/// Visits every member of the tar that is `bytes`, which lie from `base` on in a map.
pub(super) fn for_each_member_of(
    shown: &str,
    bytes: &[u8],
    base: u64,
    visit: &mut dyn FnMut(Member<'_>) -> Result<(), DatasetError>,
) -> Result<(), DatasetError> {
    let damaged = |reason: String| DatasetError::DamagedTar {
        shard: shown.to_owned(),
        reason,
    };
    let mut archive = Archive::new(Cursor::new(bytes));
    let mut last = String::from("its beginning");
    for entry in archive.entries_with_seek().map_err(|e| damaged(e.to_string()))? {
        let mut entry = entry.map_err(|e| damaged(format!("{e} (after {last})")))?;
        let key = member_name(shown, &entry.path_bytes())?;
        let (size, at) = (entry.size(), entry.raw_file_position());
        if at.checked_add(size).is_none_or(|end| end > bytes.len() as u64) {
            let length = bytes.len();
            return Err(damaged(format!(
                "member {key} needs {size} bytes from byte {at}, but the tar ends at {length}"
            )));
        }
        let kind = entry.header().entry_type();
        if kind.is_gnu_sparse() || (kind.is_file() && is_pax_sparse(&mut entry)) {
            return Err(damaged(format!(
                "member {key} is sparse and cannot be read in place; make the tar without --sparse"
            )));
        }
        visit(Member {
            key: &key,
            size,
            at: base + at,
            modified: entry.header().mtime().unwrap_or(0),
            is_file: kind.is_file() || kind.is_contiguous(),
            is_folder: kind.is_dir(),
        })?;
        last = key;
    }
    Ok(())
}

/// The class's number in the order of first sight.
fn class_id(ids: &mut BTreeMap<String, u32>, class: &str) -> u32 {
    if let Some(&id) = ids.get(class) {
        return id;
    }
    let id = ids.len() as u32;
    ids.insert(class.to_owned(), id);
    id
}

/// The classes by name, and the label of each number of first sight.
fn by_name(ids: &BTreeMap<String, u32>) -> (Vec<String>, Vec<u32>) {
    let mut to = vec![0; ids.len()];
    ids.values()
        .enumerate()
        .for_each(|(label, &id)| to[id as usize] = label as u32);
    (ids.keys().cloned().collect(), to)
}

/// A member's name without `./`, or why it is refused.
fn member_name(shard: &str, bytes: &[u8]) -> Result<String, DatasetError> {
    let Ok(key) = str::from_utf8(bytes) else {
        return Err(DatasetError::NotUtf8 {
            path: format!("{shard}, member {}", String::from_utf8_lossy(bytes)),
        });
    };
    if key.starts_with('/') || key.split('/').any(|part| part == "..") || key.contains('\0') {
        return Err(DatasetError::HostileName {
            shard: shard.to_owned(),
            key: key.to_owned(),
        });
    }
    Ok(key
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect::<Vec<_>>()
        .join("/"))
}

fn place<'a>(key: &'a str, inside: &str) -> Place<'a> {
    let below = if inside.is_empty() {
        key
    } else if let Some(below) = key.strip_prefix(inside).and_then(|rest| rest.strip_prefix('/')) {
        below
    } else {
        return Place::Outside;
    };
    if below.is_empty() || below.split('/').any(is_hidden) {
        return Place::Outside;
    }
    match below.split_once('/') {
        None if is_image(below) => Place::Loose,
        None => Place::Class(below),
        Some((class, name)) => Place::Inside(class, name),
    }
}

/// GNU tar's newer way to store holes: an ordinary member whose contents begin with a map.
fn is_pax_sparse<R: Read>(entry: &mut ::tar::Entry<'_, R>) -> bool {
    let Ok(Some(extensions)) = entry.pax_extensions() else {
        return false;
    };
    extensions
        .filter_map(Result::ok)
        .any(|extension| extension.key_bytes().starts_with(b"GNU.sparse."))
}
