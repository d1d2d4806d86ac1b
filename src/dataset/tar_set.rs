//! A tar as a data set: class folders or class tars inside one tar.

use std::collections::BTreeMap;
use std::path::Path;

use super::DatasetError;
use super::class_tars;
use super::classes::is_hidden;
use super::extension::is_image;
use super::listing::{Listing, Repeats};
use super::map::Mapping;
use super::name::SampleName;
use super::tar::{self, Extent, Member};
use crate::text;

/// A listed tar: the class names, the samples (each `at` its position) and the map.
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
    /// `CLASS.tar`: a tar of the class's images.
    ClassTars,
    /// The same, with ILSVRC 2012's training images.
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

    /// The kind of data set, for messages.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Folders => "tar",
            Self::ClassTars => "tar of class tars",
            Self::IlsvrcTrain | Self::IlsvrcVal => "ILSVRC 2012",
        }
    }

    /// How the labels are numbered, if other conventions exist.
    pub(super) fn labels(self) -> Option<&'static str> {
        match self {
            Self::Folders | Self::ClassTars => None,
            Self::IlsvrcTrain | Self::IlsvrcVal => Some(
                "labels number the WNIDs in sorted order, as in torchvision and Caffe; they are not ILSVRC2012_IDs",
            ),
        }
    }
}

/// Where a member is, relative to the class folders.
enum Place<'a> {
    /// Among the class folders.
    Class(&'a str),
    /// In a class folder, with its name there.
    Inside(&'a str, &'a str),
}

/// What was found in a tar.
#[derive(Default)]
struct Found {
    listing: Listing,
    /// Number of each class, in order of appearance.
    ids: BTreeMap<String, u32>,
    /// Class tars.
    tars: BTreeMap<String, Extent>,
    /// Number of images outside of folders.
    loose_images: u64,
    /// Whether there is anything in the place of the classes.
    is_there: bool,
}

impl Found {
    fn add(&mut self, member: &Member<'_>, inside: &str) -> Result<(), DatasetError> {
        let Some(place) = place(member.key, inside) else {
            return Ok(());
        };
        self.is_there = true;
        let file = member.file()?;
        match (place, file) {
            (Place::Class(class), None) if member.is_folder => {
                class_id(&mut self.ids, class);
            }
            (Place::Class(name), Some(extent)) => {
                if let Some(class) = class_tars::class(name) {
                    // The later of two replaces the earlier, as it would when the tar is unpacked.
                    self.tars.insert(class.to_owned(), extent);
                } else {
                    self.loose_images += u64::from(is_image(name));
                    self.listing.ignore(None, name);
                }
            }
            (Place::Class(name), None) => self.listing.ignore(None, name),
            (Place::Inside(class, name), Some(Extent { at, size })) if is_image(name) => {
                let class = class_id(&mut self.ids, class);
                let name = SampleName::new(name).map_err(DatasetError::name(&member.place(), name))?;
                self.listing.push(class, name, size, member.modified, at);
            }
            (Place::Inside(class, name), _) => {
                let class = class_id(&mut self.ids, class);
                if !member.is_folder {
                    self.listing.ignore(Some(class), name);
                }
            }
        }
        Ok(())
    }
}

/// Lists the class folders under `inside` ("" for the top) of the tar `shard`.
pub(super) fn list(location: &str, shard: &Path, inside: &str) -> Result<Listed, DatasetError> {
    let (map, members) = tar::open(shard)?;
    let mut found = Found::default();
    for member in members.iter() {
        found.add(&member, inside)?;
    }
    drop(members);
    if !found.is_there && !inside.is_empty() {
        return Err(DatasetError::NotFound {
            location: location.to_owned(),
            hint: format!("{} has no folder {}", text::path(shard), text::plain(inside)),
        });
    }
    let Found {
        mut listing,
        ids,
        tars,
        loose_images,
        ..
    } = found;
    if ids.is_empty() && !tars.is_empty() {
        let classes = class_tars::list(&text::path(shard), &map, &tars, &mut listing)?;
        let form = Form::ClassTars;
        return Ok(Listed {
            classes,
            listing,
            map,
            form,
        });
    }
    if ids.is_empty() && loose_images > 0 {
        return Err(DatasetError::FlatTar {
            location: location.to_owned(),
            images: loose_images,
        });
    }
    tars.keys()
        .for_each(|class| listing.ignore(None, &format!("{class}.tar")));
    let (classes, to) = by_name(&ids);
    listing.renumber(|class| to.get(class as usize).copied());
    listing.repeats = Repeats::LastWins;
    let form = Form::Folders;
    Ok(Listed {
        classes,
        listing,
        map,
        form,
    })
}

/// The class's number, in order of appearance.
fn class_id(ids: &mut BTreeMap<String, u32>, class: &str) -> u32 {
    if let Some(&id) = ids.get(class) {
        return id;
    }
    let id = ids.len() as u32;
    ids.insert(class.to_owned(), id);
    id
}

/// The classes sorted by name, and the label of each class number.
fn by_name(ids: &BTreeMap<String, u32>) -> (Vec<String>, Vec<u32>) {
    let mut to = vec![0; ids.len()];
    ids.values()
        .enumerate()
        .for_each(|(label, &id)| to[id as usize] = label as u32);
    (ids.keys().cloned().collect(), to)
}

/// Where a member is, relative to the class folders; `None` outside of `inside`, and for hidden members.
fn place<'a>(key: &'a str, inside: &str) -> Option<Place<'a>> {
    let below = if inside.is_empty() {
        key
    } else {
        key.strip_prefix(inside)?.strip_prefix('/')?
    };
    if below.is_empty() || below.split('/').any(is_hidden) {
        return None;
    }
    Some(match below.split_once('/') {
        None => Place::Class(below),
        Some((class, name)) => Place::Inside(class, name),
    })
}
