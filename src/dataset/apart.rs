//! Whether something would be written into a data set that is read.

use std::fs;
use std::path::{Path, PathBuf};

use super::classes::is_hidden;

/// Whether the folder `out`, which need not be there yet, is the folder `source` or lies in it where it is listed, whatever links
/// and dots the paths have. A source that is no folder holds nothing that could be taken for a sample later, and hidden folders
/// are not listed.
pub fn lies_in(out: &Path, source: &Path) -> bool {
    let below = || {
        let source = fs::canonicalize(source).ok().filter(|source| source.is_dir())?;
        Some(real(out)?.strip_prefix(source).ok()?.to_owned())
    };
    below().is_some_and(|below| !below.iter().any(|part| is_hidden(&part.to_string_lossy())))
}

/// The real path of a folder yet to be made: the longest part of it that is there, and the rest as it is written.
fn real(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    path.ancestors().find_map(|part| {
        let there = fs::canonicalize(part).ok()?;
        Some(there.join(path.strip_prefix(part).ok()?))
    })
}
