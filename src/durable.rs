//! Durable files and folders: once a function here returns, its result survives a crash or a power failure, whole.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::files;

/// The size of a write: large files are written in large pieces.
const PIECE: usize = 1 << 20;

/// A file under a temporary name, written and synced, ready to be renamed.
#[derive(Debug)]
#[must_use = "the file has its name only after `commit`"]
pub struct Prepared {
    temporary: PathBuf,
    path: PathBuf,
}

impl Prepared {
    /// Renames the file to its own name and replaces an existing one.
    pub fn commit(self) -> io::Result<()> {
        let renamed = fs::rename(&self.temporary, &self.path).and_then(|()| sync_folder(folder_of(&self.path)));
        if renamed.is_err() {
            self.discard();
        }
        renamed
    }

    /// Removes the file.
    pub fn discard(self) {
        // Best effort: the name is hidden, and `sweep` removes leftovers.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Writes a file under a temporary name beside `path`, using `write`.
pub fn prepare(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<Prepared> {
    let prepared = Prepared {
        temporary: temporary(path),
        path: path.to_owned(),
    };
    let written = File::create(&prepared.temporary).and_then(|file| {
        let mut file = BufWriter::with_capacity(PIECE, file);
        write(&mut file)?;
        file.flush()?;
        file.get_ref().sync_all()
    });
    match written {
        Ok(()) => Ok(prepared),
        Err(error) => {
            prepared.discard();
            Err(error)
        }
    }
}

/// Writes a file so that a crash leaves either the old one or the new one.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    prepare(path, |file| file.write_all(bytes))?.commit()
}

/// Like [`replace`], for a file that several processes may write at the same time.
pub fn replace_shared(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let own = path.with_file_name(format!("{name}.{}", std::process::id()));
    let prepared = prepare(&own, |file| file.write_all(bytes))?;
    Prepared {
        path: path.to_owned(),
        ..prepared
    }
    .commit()
}

/// Removes a file, if it exists.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes a folder and its missing ancestors.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    if files::is_folder(folder)? {
        return Ok(());
    }
    let parent = folder_of(folder);
    create_folder(parent)?;
    match fs::create_dir(folder) {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && files::is_folder(folder)? => {}
        made => made?,
    }
    sync_folder(parent)
}

/// Makes the entries of a folder durable.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Removes the leftovers of interrupted writes in `folder`. Call it only while nobody writes there.
pub fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.ends_with(TEMPORARY) && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The end of temporary names.
const TEMPORARY: &str = ".tmp";

/// The temporary name for `path`: hidden, and known to [`sweep`].
fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}{TEMPORARY}"))
}

/// The folder of a path: `.` if it has none.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => Path::new("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_the_old_one_until_it_is_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        replace(&path, b"old").unwrap();
        let prepared = prepare(&path, |file| file.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        prepared.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(prepare(&path, |_| Err(io::Error::other("full"))).is_err());
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing is left behind"
        );
    }

    #[test]
    fn what_was_cut_off_is_swept_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let _left = prepare(&folder.path().join("a"), |_| Ok(())).unwrap();
        for name in [".b", "c.tmp", "d"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        sweep(folder.path()).unwrap();
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, [".b", "c.tmp", "d"]);
    }

    #[test]
    fn folders_are_made_from_the_first_that_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        create_folder(&deep).unwrap();
        create_folder(&deep).unwrap();
        assert!(deep.is_dir());
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(create_folder(&folder.path().join("file/below")).is_err());
    }
}
