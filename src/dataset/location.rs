//! Finds out which kind of data set a location names.

use std::fs;
use std::path::{Path, PathBuf};

use super::DatasetError;
use super::classes::is_hidden;
use super::extension::is_image;
use super::ignored::Ignored;
use super::pack::{MANIFEST, PARTIAL};
use super::pattern;
use crate::config::errors::short;
use crate::files;
use crate::text;

/// A parsed location.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Location {
    /// A folder of class folders.
    Folder(PathBuf),
    /// The folder of a pack.
    Pack(PathBuf),
    /// WebDataset shards.
    Shards(Vec<PathBuf>),
    /// Tars in a folder, which are shards or class tars, and the other files there.
    Tars(Vec<PathBuf>, Ignored),
    /// A tar, and the folder inside it that holds the class folders ("" for its top).
    Tar(PathBuf, String),
    /// A list file.
    List(PathBuf),
    /// A pair of IDX files: the folder and the files' common beginning.
    Idx(PathBuf, String),
    /// CIFAR-10: the folder of its files, and the split.
    Cifar(PathBuf, String),
    /// ILSVRC 2012: the folder of its files, and the split.
    Ilsvrc(PathBuf, String),
}

/// The most bytes of a path on Linux. Longer ones would only be looked up in vain, folder by folder.
const LONGEST: usize = 4096;

impl Location {
    pub(super) fn parse(location: &str) -> Result<Self, DatasetError> {
        if location.len() > LONGEST {
            return Err(DatasetError::NotFound {
                location: short(location).into_owned(),
                hint: format!("it has {} bytes, and no path has more than {LONGEST}", location.len()),
            });
        }
        if let Some((scheme @ ("idx" | "cifar" | "ilsvrc"), rest)) = location.split_once(':') {
            let path = Path::new(rest);
            let last = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let folder = path.parent().unwrap_or(Path::new("")).to_owned();
            return Ok(match scheme {
                "idx" => Self::Idx(folder, last),
                "cifar" => Self::Cifar(folder, last),
                _ => Self::Ilsvrc(folder, last),
            });
        }
        let path = Path::new(location);
        match files::metadata(path).map_err(DatasetError::unreadable(path))? {
            Some(found) if found.is_dir() => return Self::of_folder(location, path),
            Some(found) if found.is_file() => return Self::of_file(location, path),
            _ => {}
        }
        if let Some(files) = pattern::expand(location)? {
            return Ok(Self::Shards(files));
        }
        Self::inside_tar(path)?.ok_or_else(|| {
            let exists = |above: &&Path| files::exists(above).unwrap_or(false);
            let above = path.ancestors().skip(1).find(exists);
            let hint = match above {
                Some(above) if above.as_os_str().is_empty() => "looked in the current folder".to_owned(),
                Some(above) => format!("{} exists", text::path(above)),
                None if location.is_empty() => "the path is empty".to_owned(),
                None => "looked in the current folder".to_owned(),
            };
            DatasetError::NotFound {
                location: location.to_owned(),
                hint,
            }
        })
    }

    /// A pack, shards, class tars or class folders, depending on the contents of the folder.
    fn of_folder(location: &str, folder: &Path) -> Result<Self, DatasetError> {
        let mut shards = Vec::new();
        let (mut has_folders, mut has_compressed, mut others) = (false, false, Ignored::default());
        for entry in fs::read_dir(folder).map_err(DatasetError::unreadable(folder))? {
            let entry = entry.map_err(DatasetError::unreadable(folder))?;
            let path = entry.path();
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                return Err(DatasetError::NotUtf8 {
                    path: text::path(&path),
                });
            };
            if is_hidden(&name) {
                continue;
            }
            if files::is_folder(&path).map_err(DatasetError::unreadable(&path))? {
                has_folders = true;
            } else if path
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("tar"))
            {
                shards.push(path);
            } else {
                let name = entry.file_name().to_string_lossy().to_ascii_lowercase();
                has_compressed |= is_compressed_tar(&name);
                others.add(&name);
            }
        }
        // Beside class folders, a file of that name may be something else.
        let (manifest, partial) = (folder.join(MANIFEST), folder.join(PARTIAL));
        let may_be_pack = !has_folders || !shards.is_empty();
        if may_be_pack && files::is_file(&manifest).map_err(DatasetError::unreadable(&manifest))? {
            return Ok(Self::Pack(folder.to_owned()));
        }
        if may_be_pack && files::is_folder(&partial).map_err(DatasetError::unreadable(&partial))? {
            return Err(DatasetError::UnfinishedPack {
                location: location.to_owned(),
            });
        }
        if has_compressed && !has_folders && shards.is_empty() {
            return Err(DatasetError::UnknownKind {
                location: location.to_owned(),
                what: "it contains compressed tars, which cannot be read in place: decompress them first".to_owned(),
            });
        }
        if has_folders || shards.is_empty() {
            return Ok(Self::Folder(folder.to_owned()));
        }
        // Sorted without the extension, like classes: `cat` comes before `cat-big`.
        shards.sort_unstable_by_key(|shard| shard.with_extension(""));
        Ok(Self::Tars(shards, others))
    }

    fn of_file(location: &str, path: &Path) -> Result<Self, DatasetError> {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_ascii_lowercase();
        let ends = |with: &[&str]| with.iter().any(|end| name.ends_with(end));
        let what = if ends(&[".tar"]) {
            return Ok(Self::Tar(path.to_owned(), String::new()));
        } else if ends(&[".txt", ".tsv", ".csv"]) {
            return Ok(Self::List(path.to_owned()));
        } else if is_compressed_tar(&name) {
            "a compressed tar cannot be read in place: decompress it first"
        } else if ends(&["-ubyte", "-ubyte.gz"]) {
            "an IDX file is opened together with its pair, as idx:DIR/PREFIX, where PREFIX-images-idx3-ubyte is the file"
        } else if is_image(&name) {
            "it is one image, not a data set"
        } else {
            "it is a file of an unknown kind"
        };
        Err(DatasetError::UnknownKind {
            location: location.to_owned(),
            what: what.to_owned(),
        })
    }

    /// Parses `x.tar/train/…`. The part of the path that is a file must be a tar.
    fn inside_tar(path: &Path) -> Result<Option<Self>, DatasetError> {
        for above in path.ancestors().skip(1) {
            let Some(found) = files::metadata(above).map_err(DatasetError::unreadable(above))? else {
                continue;
            };
            let is_tar = above
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("tar"));
            let inside = path.strip_prefix(above).ok().and_then(Path::to_str);
            return Ok(inside
                .filter(|_| found.is_file() && is_tar)
                .map(|inside| Self::Tar(above.to_owned(), inside.trim_end_matches('/').to_owned())));
        }
        Ok(None)
    }
}

/// Whether a file with this lower-case name is a compressed tar.
fn is_compressed_tar(name: &str) -> bool {
    let ends = [".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.zst", ".tar.bz2", ".tbz2"];
    ends.iter().any(|end| name.ends_with(end))
}
