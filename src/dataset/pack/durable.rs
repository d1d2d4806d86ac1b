//! Files that are complete or absent, even after a power failure.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::PackError;

/// Makes the entries of a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), PackError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(PackError::write(folder))
}

/// Writes a file and makes its contents durable.
pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), PackError> {
    let written = File::create(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(PackError::write(path))
}

/// Writes a file under another name and renames it.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), PackError> {
    let temporary = path.with_added_extension("tmp");
    write_synced(&temporary, bytes)?;
    rename(&temporary, path)?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// Renames a file and replaces an existing one.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), PackError> {
    fs::rename(from, to).map_err(PackError::write(to))
}

/// Removes a file, if it exists.
pub(super) fn remove_file(path: &Path) -> Result<(), PackError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(PackError::write(path)(error)),
        _ => Ok(()),
    }
}

/// Removes a folder and its contents, if it exists.
pub(super) fn remove_folder(folder: &PathBuf) -> Result<(), PackError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(PackError::write(folder)(error)),
        _ => Ok(()),
    }
}
