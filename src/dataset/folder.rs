//! Class folders: `DIR/CLASS/*.jpg`. Nested folders inside a class are allowed, and links are followed.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::DatasetError;
use super::classes::is_hidden;
use super::extension::is_image;
use super::listing::Listing;
use super::name::SampleName;
use crate::text;

/// Folders nested deeper than this are taken for a loop of links.
const DEEPEST: usize = 16;

/// Lists a folder. Classes are sorted by the bytes of their names.
pub(super) fn list(root: &Path) -> Result<(Vec<String>, Listing), DatasetError> {
    let mut listing = Listing::default();
    let mut classes = Vec::new();
    for_each_entry(root, &mut |name, metadata| {
        if metadata.is_dir() {
            classes.push(name.to_owned());
        } else {
            listing.ignore(None, name);
        }
        Ok(())
    })?;
    classes.sort_unstable();
    for (label, class) in classes.iter().enumerate() {
        walk(&root.join(class), label as u32, &mut String::new(), 0, &mut listing)?;
    }
    Ok((classes, listing))
}

/// Lists one folder of a class. `below` is its path under the class folder: empty, or with a `/` at the end.
fn walk(
    folder: &Path,
    label: u32,
    below: &mut String,
    depth: usize,
    listing: &mut Listing,
) -> Result<(), DatasetError> {
    if depth > DEEPEST {
        return Err(DatasetError::TooDeep {
            path: text::path(folder),
            limit: DEEPEST,
        });
    }
    let length = below.len();
    for_each_entry(folder, &mut |name, metadata| {
        below.push_str(name);
        if metadata.is_dir() {
            below.push('/');
            walk(&folder.join(name), label, below, depth + 1, listing)?;
        } else if metadata.is_file() && is_image(name) {
            let refused = |fault| DatasetError::name(&text::path(folder), below)(fault);
            let sample = SampleName::new(below).map_err(refused)?;
            listing.push(label, sample, metadata.len(), modified(metadata), 0);
        } else {
            listing.ignore(Some(label), name);
        }
        below.truncate(length);
        Ok(())
    })
}

/// Calls `visit` with every entry that is not hidden. A link counts as its target; a dangling link is an error.
fn for_each_entry(
    folder: &Path,
    visit: &mut dyn FnMut(&str, &Metadata) -> Result<(), DatasetError>,
) -> Result<(), DatasetError> {
    for entry in fs::read_dir(folder).map_err(DatasetError::unreadable(folder))? {
        let entry = entry.map_err(DatasetError::unreadable(folder))?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            return Err(DatasetError::NotUtf8 {
                path: text::path(&entry.path()),
            });
        };
        if is_hidden(name) {
            continue;
        }
        let metadata = fs::metadata(entry.path()).map_err(DatasetError::unreadable(&entry.path()))?;
        visit(name, &metadata)?;
    }
    Ok(())
}

/// The modification time in nanoseconds, for comparison only.
pub(super) fn modified(metadata: &Metadata) -> u64 {
    (metadata.mtime() as u64)
        .wrapping_mul(1_000_000_000)
        .wrapping_add(metadata.mtime_nsec() as u64)
}
