//! Expands patterns like `x-{000000..000009}.tar` to files.

use std::path::{Path, PathBuf};

use super::DatasetError;
use crate::files;
use crate::text;

/// The most files in a pattern: more cannot be mapped and must be a mistake.
const MAX_FILES: u64 = 4096;

/// The most digits in a number: more must be a mistake too.
const MAX_DIGITS: usize = 20;

/// The files of `x-{000000..000009}.tar`; `None` if the location is not a pattern.
pub(super) fn expand(location: &str) -> Result<Option<Vec<PathBuf>>, DatasetError> {
    let Some((before, from, to, after)) = parts(location) else {
        return Ok(None);
    };
    let unknown = |what: String| DatasetError::UnknownKind {
        location: location.to_owned(),
        what,
    };
    if from.len().max(to.len()) > MAX_DIGITS {
        return Err(unknown(format!(
            "the pattern's numbers have more than {MAX_DIGITS} digits"
        )));
    }
    let range = (from.parse::<u64>(), to.parse::<u64>());
    let (Ok(first), Ok(last)) = range else { return Ok(None) };
    if first > last || last - first >= MAX_FILES {
        return Err(unknown(format!(
            "the pattern matches no file, or more than {MAX_FILES}"
        )));
    }
    let width = from.len();
    let paths: Vec<PathBuf> = (first..=last)
        .map(|number| PathBuf::from(format!("{before}{number:0width$}{after}")))
        .collect();
    for file in &paths {
        if !files::is_file(file).map_err(DatasetError::unreadable(file))? {
            return Err(DatasetError::NotFound {
                location: location.to_owned(),
                hint: format!("{} is missing", text::path(file)),
            });
        }
    }
    Ok(Some(paths))
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
