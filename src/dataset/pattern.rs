//! Which of several files a location means: those in a folder, or those of a pattern like `x-{000000..000009}.tar`.

use std::fs;
use std::path::{Path, PathBuf};

use super::DatasetError;
use super::classes::is_hidden;
use super::ignored::Ignored;
use super::location::{Location, is_compressed_tar};
use super::pack::{MANIFEST, PARTIAL};
use crate::text;

/// A pattern of more files than can be mapped is a mistake.
const MOST: u64 = 4096;

/// Numbers of more digits are a mistake too.
const MOST_DIGITS: usize = 20;

/// A pack, shards, class tars, or class folders: what lies in the folder says which.
pub(super) fn of_folder(location: &str, folder: &Path) -> Result<Location, DatasetError> {
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
        if path.is_dir() {
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
    // A file of that name may lie beside class folders and mean something else there.
    if folder.join(MANIFEST).is_file() && (!has_folders || !shards.is_empty()) {
        return Ok(Location::Pack(folder.to_owned()));
    }
    if folder.join(PARTIAL).is_dir() && (!has_folders || !shards.is_empty()) {
        return Err(DatasetError::UnfinishedPack {
            location: location.to_owned(),
        });
    }
    if has_compressed && !has_folders && shards.is_empty() {
        return Err(DatasetError::UnknownKind {
            location: location.to_owned(),
            what: "it holds compressed tars, which cannot be read in place: decompress them first".to_owned(),
        });
    }
    if has_folders || shards.is_empty() {
        return Ok(Location::Folder(folder.to_owned()));
    }
    // Without the extension, as classes are sorted: `cat` comes before `cat-big`.
    shards.sort_unstable_by_key(|shard| shard.with_extension(""));
    Ok(Location::Tars(shards, others))
}

/// The files of `x-{000000..000009}.tar`; `None` where the location is no such pattern.
pub(super) fn expand(location: &str) -> Result<Option<Vec<PathBuf>>, DatasetError> {
    let Some((before, from, to, after)) = parts(location) else {
        return Ok(None);
    };
    let unknown = |what: String| DatasetError::UnknownKind {
        location: location.to_owned(),
        what,
    };
    if from.len().max(to.len()) > MOST_DIGITS {
        return Err(unknown(format!(
            "the pattern's numbers have more than {MOST_DIGITS} digits"
        )));
    }
    let range = (from.parse::<u64>(), to.parse::<u64>());
    let (Ok(first), Ok(last)) = range else { return Ok(None) };
    if first > last || last - first >= MOST {
        return Err(unknown(format!("the pattern names no file, or more than {MOST}")));
    }
    let width = from.len();
    let files: Vec<PathBuf> = (first..=last)
        .map(|number| PathBuf::from(format!("{before}{number:0width$}{after}")))
        .collect();
    if let Some(missing) = files.iter().find(|file| !file.is_file()) {
        return Err(DatasetError::NotFound {
            location: location.to_owned(),
            hint: format!("{} is not there", text::path(missing)),
        });
    }
    Ok(Some(files))
}

/// `x-{000000..000009}.tar` as `x-`, `000000`, `000009`, `.tar`.
fn parts(location: &str) -> Option<(&str, &str, &str, &str)> {
    let (before, rest) = location.split_once('{')?;
    let (range, after) = rest.split_once('}')?;
    let (from, to) = range.split_once("..")?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_tar = Path::new(after)
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("tar"))
        || after.eq_ignore_ascii_case(".tar");
    (digits(from) && digits(to) && is_tar).then_some((before, from, to, after))
}
