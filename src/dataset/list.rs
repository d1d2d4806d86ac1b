//! List files.
//!
//! One sample a line, the path first, then its label or class name:
//!
//! ```text
//! # comments and empty lines are skipped
//! n01440764/a.JPEG 0
//! photos/my cat.jpg<TAB>cat
//! ```
//!
//! - A tab separates where the line has one (the last tab counts); else, in `.csv` the last comma; else the last blank.
//! - Paths are relative to the list's own folder.
//! - Where every label is a whole number, classes are `0` to the largest, in the order of the numbers; otherwise the
//!   classes are the names, sorted by their bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::DatasetError;
use super::classes::check;
use super::folder::modified;
use super::listing::Listing;

/// A number beyond this is taken for a mistake (an id in place of a label) rather than for 100,000 classes.
const MOST_CLASSES: u32 = 100_000;

/// Lists a list file.
pub(super) fn list(location: &str, file: &Path) -> Result<(Vec<String>, Listing), DatasetError> {
    let shown = file.display().to_string();
    let text = fs::read(file).map_err(|source| DatasetError::Unreadable {
        path: shown.clone(),
        source,
    })?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let comma = file
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let mut listing = Listing::default();
    let mut ids = BTreeMap::new();
    for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let wrong = |reason: String| DatasetError::ListLine {
            file: shown.clone(),
            line: index + 1,
            reason,
        };
        let line = str::from_utf8(line).map_err(|_| wrong("not UTF-8; save the list as UTF-8".into()))?;
        let line = line.strip_prefix('\u{feff}').unwrap_or(line).trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (path, label) = split(line, comma).ok_or_else(|| {
            wrong(format!(
                "{line:?} has no label; write the path, a tab or blank, and the label"
            ))
        })?;
        if label.contains('/') {
            return Err(wrong(format!(
                "the class name {label:?} has a / in it; is it the path? the label comes last"
            )));
        }
        let metadata = fs::metadata(folder.join(path)).map_err(|e| {
            wrong(format!(
                "{path}: {e}; paths are relative to the list's folder, {}",
                shown_folder(folder)
            ))
        })?;
        if !metadata.is_file() {
            return Err(wrong(format!("{path} is not a file")));
        }
        let next = ids.len() as u32;
        let class = *ids.entry(label.to_owned()).or_insert(next);
        listing.push(class, path, metadata.len(), modified(&metadata), 0);
    }
    let classes = number(&shown, &ids, &mut listing)?;
    check(location, &classes, &listing, 0)?;
    Ok((classes, listing))
}

fn shown_folder(folder: &Path) -> std::path::Display<'_> {
    if folder.as_os_str().is_empty() {
        Path::new(".").display()
    } else {
        folder.display()
    }
}

/// Cuts a line into path and label.
fn split(line: &str, comma: bool) -> Option<(&str, &str)> {
    let (path, label) = line
        .rsplit_once('\t')
        .or_else(|| if comma { line.rsplit_once(',') } else { None })
        .or_else(|| line.rsplit_once(' '))?;
    let (path, label) = (path.trim(), label.trim());
    (!path.is_empty() && !label.is_empty()).then_some((path, label))
}

/// Puts the classes into their order and gives the samples their labels.
pub(super) fn number(
    file: &str,
    ids: &BTreeMap<String, u32>,
    listing: &mut Listing,
) -> Result<Vec<String>, DatasetError> {
    let numbers: Option<Vec<u32>> = ids.keys().map(|label| plain_number(label)).collect();
    let mut to = vec![0; ids.len()];
    let classes = match numbers {
        Some(numbers) if !numbers.is_empty() => {
            let largest = numbers.iter().copied().max().unwrap_or(0);
            if largest >= MOST_CLASSES {
                let reason = format!("the label {largest} is too large: labels count the classes from 0");
                return Err(DatasetError::BadLabels {
                    file: file.to_owned(),
                    reason,
                });
            }
            ids.values()
                .zip(numbers)
                .for_each(|(&id, number)| to[id as usize] = number);
            (0..=largest).map(|label| label.to_string()).collect()
        }
        _ => {
            ids.values()
                .enumerate()
                .for_each(|(label, &id)| to[id as usize] = label as u32);
            ids.keys().cloned().collect()
        }
    };
    listing.relabel(&to);
    Ok(classes)
}

/// A number written plainly: `007` is a name, else two names would make one class.
fn plain_number(label: &str) -> Option<u32> {
    label.parse().ok().filter(|number: &u32| number.to_string() == label)
}
