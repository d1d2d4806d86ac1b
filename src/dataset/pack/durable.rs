//! Durable files of a pack: [`crate::durable`], with the pack's error.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::PackError;
use crate::durable;

/// Makes the entries of a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), PackError> {
    durable::sync_folder(folder).map_err(PackError::write(folder))
}

/// Writes a file and makes its contents durable. After a crash it may be half written.
pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), PackError> {
    let written = File::create(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(PackError::write(path))
}

/// Writes a file so that a crash leaves either the old one or the new one.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), PackError> {
    durable::replace(path, bytes).map_err(PackError::write(path))
}

/// Renames a file and replaces an existing one.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), PackError> {
    fs::rename(from, to).map_err(PackError::write(to))
}

/// Removes a file, if it exists.
pub(super) fn remove_file(path: &Path) -> Result<(), PackError> {
    durable::remove(path).map_err(PackError::write(path))
}

/// Removes a folder and its contents, if it exists.
pub(super) fn remove_folder(folder: &Path) -> Result<(), PackError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(PackError::write(folder)(error)),
        _ => Ok(()),
    }
}
