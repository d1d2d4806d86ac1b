//! The rules of class folders, the same in a folder and inside a tar, and the check that two datasets agree.

use std::collections::BTreeSet;
use std::path::Path;

use super::DatasetError;
use super::listing::Listing;

/// Names that people give to splits. Folders all named so are not classes.
const SPLITS: [&str; 8] = [
    "train",
    "training",
    "val",
    "valid",
    "validation",
    "test",
    "testing",
    "dev",
];

/// Whether a file name says that it holds an image. What it really holds, the decoder finds out.
pub(super) fn is_image(name: &str) -> bool {
    let extension = Path::new(name).extension().unwrap_or_default();
    ["jpg", "jpeg", "png"]
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}

/// Hidden files are never samples: `.DS_Store`, and macOS's `._x.jpg`, which looks like an image and is none.
pub(super) fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// Refuses what cannot be learnt from: no class, no image, splits in place of classes, empty classes, one class.
pub(super) fn check(location: &str, classes: &[String], listing: &Listing, loose: u64) -> Result<(), DatasetError> {
    let location = location.to_owned();
    if classes.is_empty() {
        let found = match loose {
            0 => "it is empty".to_owned(),
            n => format!("{n} files lie directly in it"),
        };
        return Err(DatasetError::NoClasses { location, found });
    }
    if classes
        .iter()
        .all(|class| SPLITS.iter().any(|split| class.eq_ignore_ascii_case(split)))
    {
        let (folders, first) = (classes.join(", "), classes[0].clone());
        return Err(DatasetError::Splits {
            location,
            folders,
            first,
        });
    }
    if listing.len() == 0 {
        return Err(DatasetError::NoImages {
            location,
            ignored: listing.ignored,
        });
    }
    let empty = listing.empty_classes(classes);
    if !empty.is_empty() {
        return Err(DatasetError::EmptyClasses {
            location,
            classes: empty,
        });
    }
    if let [class] = classes {
        return Err(DatasetError::OneClass {
            location,
            class: class.clone(),
        });
    }
    Ok(())
}

/// Checks that training and validation have the same classes, so that a label means the same in both.
pub fn check_classes(train: &[String], val: &[String]) -> Result<(), DatasetError> {
    if train == val {
        return Ok(());
    }
    let (left, right): (BTreeSet<_>, BTreeSet<_>) = (train.iter().collect(), val.iter().collect());
    let mut parts = Vec::new();
    for (side, names) in [
        ("only train has ", left.difference(&right)),
        ("only val has ", right.difference(&left)),
    ] {
        let names: Vec<&str> = names.map(|name| name.as_str()).collect();
        if !names.is_empty() {
            let more = if names.len() > 5 {
                format!(" and {} more", names.len() - 5)
            } else {
                String::new()
            };
            parts.push(format!("{side}{}{more}", names[..names.len().min(5)].join(", ")));
        }
    }
    if parts.is_empty() {
        parts.push("the names are the same, their order is not".to_owned());
    }
    Err(DatasetError::ClassesDiffer {
        detail: parts.join("; "),
    })
}
