//! A folder for what a target must see as files. Each thread has one, which is emptied for each input.

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

thread_local! {
    static PLACE: OnceCell<TempDir> = const { OnceCell::new() };
}

/// The thread's folder, empty.
pub fn empty() -> PathBuf {
    let path = PLACE.with(|place| {
        let made = || tempfile::Builder::new().prefix("pipeline-fuzz-").tempdir().unwrap();
        place.get_or_init(made).path().to_owned()
    });
    for entry in fs::read_dir(&path).unwrap() {
        let entry = entry.unwrap().path();
        // A link is a file here, wherever it leads.
        if entry.is_dir() && !entry.is_symlink() {
            fs::remove_dir_all(entry).unwrap();
        } else {
            fs::remove_file(entry).unwrap();
        }
    }
    path
}

/// Writes a file and the folders above it.
pub fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}
