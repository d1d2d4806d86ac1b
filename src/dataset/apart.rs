//! Whether something would be written into a data set that is read.

use std::fs;
use std::path::{Path, PathBuf};

/// Whether the folder `out`, which need not be there yet, is the folder `source` or lies in it, whatever links and dots the
/// paths have. A source that is no folder holds nothing that could be taken for a sample later.
pub fn lies_in(out: &Path, source: &Path) -> bool {
    fs::canonicalize(source).is_ok_and(|source| source.is_dir() && real(out).is_some_and(|out| out.starts_with(source)))
}

/// The real path of a folder yet to be made: the longest part of it that is there, and the rest as it is written.
fn real(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    path.ancestors().find_map(|part| {
        let there = fs::canonicalize(part).ok()?;
        Some(there.join(path.strip_prefix(part).ok()?))
    })
}
