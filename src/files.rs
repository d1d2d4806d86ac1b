//! What is at a path. Unlike [`Path::exists`] and its kin, these functions do not take a failure to look for an absence: where the
//! system does not say what is there, that is an error.

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;

/// The facts about a file or folder, links followed; `None` if nothing is there.
pub fn metadata(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether something is there.
pub fn exists(path: &Path) -> io::Result<bool> {
    Ok(metadata(path)?.is_some())
}

/// Whether a folder is there.
pub fn is_folder(path: &Path) -> io::Result<bool> {
    Ok(metadata(path)?.is_some_and(|metadata| metadata.is_dir()))
}

/// Whether a regular file is there.
pub fn is_file(path: &Path) -> io::Result<bool> {
    Ok(metadata(path)?.is_some_and(|metadata| metadata.is_file()))
}

/// Whether the error says that nothing is there. Nothing can be opened by a name that is too long.
pub fn is_absence(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | InvalidFilename)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn absence_is_told_from_failure() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "").unwrap();
        symlink(at("file"), at("link")).unwrap();
        symlink(at("none"), at("dangling")).unwrap();
        symlink(at("loop"), at("loop")).unwrap();
        assert!(is_folder(folder.path()).unwrap() && !is_file(folder.path()).unwrap());
        for name in ["file", "link"] {
            assert!(is_file(&at(name)).unwrap() && !is_folder(&at(name)).unwrap(), "{name}");
        }
        for name in ["none", "file/below", "dangling", &"x".repeat(300)] {
            assert!(!exists(&at(name)).unwrap(), "{name}");
        }
        // Root may look everywhere, so a loop of links stands for all failures.
        assert!(exists(&at("loop")).is_err() && is_folder(&at("loop")).is_err());
    }
}
