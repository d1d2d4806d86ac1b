//! Writes samples as files below a folder, and nowhere else.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::SampleId;
use crate::files;

/// A file that could not be written.
#[derive(Debug)]
pub struct NotWritten {
    /// The file or folder.
    pub path: PathBuf,
    /// The system's reason.
    pub source: io::Error,
}

/// A folder that samples are written below, as `CLASS/name`.
///
/// The folder itself is the user's, and its path may contain links. Below it no link is followed: none belongs there.
#[derive(Debug)]
pub struct Below {
    folder: PathBuf,
    /// The folder that was made last. Samples come class by class, so it is often the next one needed.
    made: PathBuf,
}

impl Below {
    /// A writer for `folder`. Nothing is created yet.
    pub fn new(folder: PathBuf) -> Self {
        let made = PathBuf::new();
        Self { folder, made }
    }

    /// Writes a sample that must not exist yet, under its name followed by `suffix`.
    pub fn write_new(&mut self, id: SampleId<'_>, suffix: &str, bytes: &[u8]) -> Result<(), NotWritten> {
        let mut path = id.path_below(&self.folder);
        path.as_mut_os_string().push(suffix);
        self.make_parent(&path)?;
        let written = File::create_new(&path).and_then(|mut file| file.write_all(bytes));
        written.map_err(|source| NotWritten { path, source })
    }

    /// Writes a sample and replaces an existing file. A link of that name is replaced, not followed. Several threads may
    /// write the same sample at once.
    pub fn write(&mut self, id: SampleId<'_>, bytes: &[u8]) -> Result<(), NotWritten> {
        let path = id.path_below(&self.folder);
        self.make_parent(&path)?;
        loop {
            match fs::remove_file(&path) {
                Err(source) if !files::is_absence(&source) => return Err(NotWritten { path, source }),
                _ => {}
            }
            match self.write_new(id, "", bytes) {
                // Another thread was faster.
                Err(NotWritten { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {}
                written => return written,
            }
        }
    }

    /// Makes the folders between the root and a file.
    fn make_parent(&mut self, path: &Path) -> Result<(), NotWritten> {
        let parent = path.parent().unwrap_or(&self.folder);
        if parent == self.made {
            return Ok(());
        }
        let failed = |path: &Path, source| NotWritten {
            path: path.to_owned(),
            source,
        };
        fs::create_dir_all(&self.folder).map_err(|source| failed(&self.folder, source))?;
        let below = parent.strip_prefix(&self.folder).unwrap_or(Path::new(""));
        let mut folder = self.folder.clone();
        for part in below {
            folder.push(part);
            make(&folder).map_err(|source| failed(&folder, source))?;
        }
        parent.clone_into(&mut self.made);
        Ok(())
    }
}

/// Makes a folder, or accepts an existing one. A link to a folder is refused.
fn make(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => return other,
    }
    if fs::symlink_metadata(folder)?.is_dir() {
        return Ok(());
    }
    let reason = "already exists, but is a link or a file, not a folder";
    Err(io::Error::new(io::ErrorKind::NotADirectory, reason))
}

#[cfg(test)]
mod tests {
    use super::super::{ClassName, SampleName};
    use super::*;

    #[test]
    fn no_link_below_the_folder_is_followed() {
        let root = tempfile::tempdir().unwrap();
        let (out, elsewhere) = (root.path().join("out"), root.path().join("elsewhere"));
        fs::create_dir_all(out.join("a")).unwrap();
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("1.jpg"), "precious").unwrap();
        std::os::unix::fs::symlink(&elsewhere, out.join("b")).unwrap();
        std::os::unix::fs::symlink(elsewhere.join("1.jpg"), out.join("a/1.jpg")).unwrap();
        let id = |class| SampleId::new(ClassName::new(class).unwrap(), SampleName::new("1.jpg").unwrap());
        let mut below = Below::new(out.clone());
        let error = below.write_new(id("a"), "", b"new").unwrap_err();
        assert_eq!(error.source.kind(), io::ErrorKind::AlreadyExists);
        below.write(id("a"), b"new").unwrap();
        assert_eq!(fs::read(out.join("a/1.jpg")).unwrap(), b"new");
        let error = below.write(id("b"), b"new").map_err(|error| error.path);
        assert_eq!(error.unwrap_err(), out.join("b"));
        assert_eq!(fs::read(elsewhere.join("1.jpg")).unwrap(), b"precious");
        // The folder itself may be a link: the user chose it.
        std::os::unix::fs::symlink(&out, root.path().join("link")).unwrap();
        Below::new(root.path().join("link")).write(id("c"), b"x").unwrap();
        assert!(out.join("c/1.jpg").is_file());
    }
}
