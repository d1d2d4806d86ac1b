//! Guards a data set against output that would be written into it.

use std::fs;
use std::path::{Path, PathBuf};

use super::classes::is_hidden;
use crate::files;

/// Whether the folder `out` is the folder `source` or lies in the part of it that is listed. `out` need not exist yet.
/// Links and dots in the paths are resolved. A source that is not a folder is never affected: nothing in it could later be
/// taken for a sample. Hidden folders are not listed.
pub fn lies_in(out: &Path, source: &Path) -> bool {
    let below = || {
        let source = fs::canonicalize(source)
            .ok()
            .filter(|source| files::is_folder(source).unwrap_or(false))?;
        Some(real(out)?.strip_prefix(source).ok()?.to_owned())
    };
    below().is_some_and(|below| !below.iter().any(|part| is_hidden(&part.to_string_lossy())))
}

/// The real path of a folder that may not exist yet: the longest existing part is resolved, the rest is kept as written.
fn real(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    path.ancestors().find_map(|part| {
        let there = fs::canonicalize(part).ok()?;
        Some(there.join(path.strip_prefix(part).ok()?))
    })
}
