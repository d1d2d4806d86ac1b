//! A folder for targets that read files. Each thread has one, which is emptied for each input.
//!
//! It is in memory if such a file system exists, unless `TMPDIR` says otherwise.

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

thread_local! {
    static PLACE: OnceCell<TempDir> = const { OnceCell::new() };
}

fn make() -> TempDir {
    let memory = Path::new("/dev/shm");
    let mut named = tempfile::Builder::new();
    named.prefix("pipeline-fuzz-");
    let in_memory = std::env::var_os("TMPDIR").is_none() && memory.is_dir();
    in_memory
        .then(|| named.tempdir_in(memory).ok())
        .flatten()
        .unwrap_or_else(|| named.tempdir().unwrap())
}

/// The thread's folder, emptied.
pub fn empty() -> PathBuf {
    let path = PLACE.with(|place| place.get_or_init(make).path().to_owned());
    for entry in fs::read_dir(&path).unwrap() {
        let entry = entry.unwrap().path();
        // A link is removed like a file, wherever it leads.
        if entry.is_dir() && !entry.is_symlink() {
            fs::remove_dir_all(entry).unwrap();
        } else {
            fs::remove_file(entry).unwrap();
        }
    }
    path
}

/// Writes a file, and creates the folders above it.
pub fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}
