//! The classes of a data set: which are refused, and how a set is read with the classes of another.

use std::collections::HashMap;

use super::DatasetError;
use super::extension;
use super::few::few;
use super::listing::Listing;
use super::name::Classes;
use super::split_name::SplitName;
use crate::text::plain;

/// Hidden files are never samples: `.DS_Store`, or macOS's `._x.jpg`, which is named like an image but is not one.
pub(super) fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// Which classes a data set is read with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose<'a> {
    /// Its own, for training a classifier. Each must have samples.
    Learn,
    /// Those of a trained network. A class may be without samples, but no other class may appear.
    Try(&'a [String]),
}

/// Checks what a reader has found, including the names, and assigns the final labels.
pub(super) fn settle(
    location: &str,
    classes: Vec<String>,
    listing: &mut Listing,
    purpose: Purpose<'_>,
) -> Result<Classes, DatasetError> {
    let classes = Classes::new(classes).map_err(|(name, reason)| DatasetError::Name {
        place: plain(location).into_owned(),
        name,
        reason,
    })?;
    if classes.as_slice().is_empty() && listing.len() == 0 {
        let ignored = listing.ignored();
        let found = match ignored.count() {
            0 => "it is empty".to_owned(),
            1 => format!("it contains 1 file: {}", ignored.kinds()),
            n => format!("it contains {n} files: {}", ignored.kinds()),
        };
        return Err(DatasetError::NoClasses {
            location: location.to_owned(),
            found,
        });
    }
    let seen = listing.seen(classes.as_slice().len());
    match purpose {
        Purpose::Learn => {
            splits(location, classes.as_slice())?;
            has_images(location, listing)?;
            if !listing.may_lack {
                each_has_images(location, classes.as_slice(), listing, &seen)?;
            }
            if let [class] = classes.as_slice() {
                return Err(DatasetError::OneClass {
                    location: location.to_owned(),
                    class: class.clone(),
                });
            }
            Ok(classes)
        }
        Purpose::Try(known) => {
            if !known.iter().any(|known| classes.as_slice().contains(known)) {
                splits(location, classes.as_slice())?;
            }
            has_images(location, listing)?;
            relabel(location, &classes, listing, &seen, known)
        }
    }
}

/// Refuses folders that are splits.
fn splits(location: &str, classes: &[String]) -> Result<(), DatasetError> {
    if classes.is_empty() || !classes.iter().all(|class| SplitName::of(class).is_some()) {
        return Ok(());
    }
    Err(DatasetError::Splits {
        location: location.to_owned(),
        folders: classes.to_vec(),
    })
}

fn has_images(location: &str, listing: &Listing) -> Result<(), DatasetError> {
    if listing.len() > 0 {
        return Ok(());
    }
    Err(DatasetError::NoImages {
        location: location.to_owned(),
        ignored: Box::new(listing.ignored()),
    })
}

/// Refuses classes without images.
fn each_has_images(location: &str, classes: &[String], listing: &Listing, seen: &[bool]) -> Result<(), DatasetError> {
    let empty = || (0..classes.len()).filter(|&class| !seen[class]);
    if empty().next().is_none() {
        return Ok(());
    }
    let location = location.to_owned();
    if listing.is_numbered {
        let smallest = seen.iter().position(|seen| *seen).unwrap_or_default();
        let hint = match smallest {
            0 => "every label up to the largest needs an image".to_owned(),
            smallest => format!("the smallest label is {smallest}: subtract {smallest} from each label"),
        };
        return Err(DatasetError::LabelsWithHoles {
            location,
            count: empty().count(),
            labels: few(empty().map(|class| classes[class].as_str())),
            hint,
        });
    }
    let passed = empty().filter_map(|class| {
        let ignored = listing.ignored_of(class as u32)?;
        Some(format!(
            "{} in {} ({})",
            ignored.count(),
            classes[class],
            ignored.kinds()
        ))
    });
    let passed: Vec<String> = passed.collect();
    let passed = match passed.len() {
        0 => String::new(),
        _ => format!(
            " (files other than {} were ignored: {})",
            extension::all(),
            few(passed.iter().map(String::as_str))
        ),
    };
    Err(DatasetError::EmptyClasses {
        location,
        count: empty().count(),
        classes: few(empty().map(|class| classes[class].as_str())),
        passed,
    })
}

/// Relabels the samples by the position of their class's name in `known`.
fn relabel(
    location: &str,
    classes: &Classes,
    listing: &mut Listing,
    seen: &[bool],
    known: &[String],
) -> Result<Classes, DatasetError> {
    let labels: HashMap<&str, u32> = known.iter().map(String::as_str).zip(0..).collect();
    let of = |class: usize| labels.get(classes.as_slice()[class].as_str()).copied();
    // A class without samples does not count here: numbers have holes, and folders may be empty.
    let unknown = || (0..seen.len()).filter(|&class| seen[class] && of(class).is_none());
    if unknown().next().is_some() {
        return Err(DatasetError::UnknownClasses {
            location: location.to_owned(),
            unknown: few(unknown().map(|class| classes.as_slice()[class].as_str())),
            known: few(known.iter().map(String::as_str)),
        });
    }
    listing.renumber(|class| of(class as usize));
    Classes::new(known.to_vec()).map_err(|(name, reason)| DatasetError::Name {
        place: "the run".to_owned(),
        name,
        reason,
    })
}
