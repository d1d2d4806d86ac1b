//! List files.
//!
//! One sample per line: the path, then its label or class name:
//!
//! ```text
//! # comments and empty lines are skipped
//! n01440764/a.JPEG 0
//! photos/my cat.jpg<TAB>cat
//! ```
//!
//! - `.txt` and `.tsv`: the separator is the last tab if the line has one, else the last blank.
//! - `.csv`: the separator is a comma, and quotes enclose paths with a comma. There are two fields and no header.
//! - Paths are relative to the list's own folder and may lead anywhere. A sample's name is its path without the
//!   parts that lead up: `../photos/a.jpg` is called `photos/a.jpg`.
//! - A line that occurs twice is two samples. The second sample of one name is called `a~2.jpg`.
//! - If every label is a whole number, the classes are `0` to the largest, in numeric order. Otherwise the classes are
//!   the names, sorted by their bytes.

mod lines;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::DatasetError;
use super::folder::modified;
use super::listing::{Listing, Repeats};
use super::name::{ClassName, SampleName, plain_parts};
use super::texts::Texts;
use super::whole;
use crate::text::{self, plain};
use lines::Line;

/// A larger number is taken for a mistake (an id instead of a label) rather than for 100,000 classes.
const MAX_CLASSES: u32 = 100_000;

/// The limit on the file's size. A list of ImageNet has 50 MB.
const MAX_BYTES: u64 = 4 << 30;

/// A list after reading.
pub(super) struct Listed {
    pub(super) classes: Vec<String>,
    pub(super) listing: Listing,
    /// The samples' paths as written, by their numbers in the listing.
    pub(super) paths: Texts,
}

/// Lists the samples of a list file.
pub(super) fn list(file: &Path) -> Result<Listed, DatasetError> {
    let shown = text::path(file);
    let bytes = whole::read(file, MAX_BYTES).map_err(DatasetError::unreadable(file))?;
    let is_csv = file
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let mut reading = Reading {
        folder: file.parent().unwrap_or(Path::new("")),
        is_csv,
        listing: Listing::default(),
        paths: Texts::default(),
        ids: BTreeMap::new(),
    };
    lines::for_each(&bytes, is_csv, &mut |line| reading.add(line)).map_err(|(line, reason)| {
        DatasetError::ListLine {
            file: shown.clone(),
            line,
            reason,
        }
    })?;
    let Reading {
        mut listing,
        paths,
        ids,
        ..
    } = reading;
    if listing.len() == 0 {
        return Err(DatasetError::EmptyList { file: shown });
    }
    listing.repeats = Repeats::Count;
    let classes = number(&shown, &ids, &mut listing)?;
    Ok(Listed {
        classes,
        listing,
        paths,
    })
}

/// A list being read.
struct Reading<'a> {
    /// The folder of the list.
    folder: &'a Path,
    is_csv: bool,
    listing: Listing,
    paths: Texts,
    /// Numbers of the labels, in the order of appearance.
    ids: BTreeMap<String, u32>,
}

impl Reading<'_> {
    /// Adds the sample of a line. The error is the reason.
    fn add(&mut self, line: Line<'_>) -> Result<(), String> {
        let Line { path, label, number } = line;
        ClassName::new(label).map_err(|fault| {
            format!("{label:?} cannot be the name of a class: {fault}; the path comes first, then the label")
        })?;
        let metadata = fs::metadata(self.folder.join(path)).map_err(|error| {
            let is_first = self.listing.len() == 0;
            let hint = if is_first && self.is_csv {
                format!("is line {number} a header? remove it; ")
            } else {
                String::new()
            };
            format!(
                "{}: {error}; {hint}paths are relative to the list's folder, {}",
                plain(path),
                shown_folder(self.folder)
            )
        })?;
        if !metadata.is_file() {
            return Err(format!("{} is not a file", plain(path)));
        }
        let next = self.ids.len() as u32;
        let class = match self.ids.get(label) {
            Some(&class) => class,
            None => *self.ids.entry(label.to_owned()).or_insert(next),
        };
        let name = plain_parts(path);
        let name =
            SampleName::new(&name).map_err(|fault| format!("{path:?} cannot be the name of a sample: {fault}"))?;
        let number = self.paths.len() as u64;
        self.paths.push(path);
        self.listing
            .push(class, name, metadata.len(), modified(&metadata), number);
        Ok(())
    }
}

fn shown_folder(folder: &Path) -> String {
    if folder.as_os_str().is_empty() {
        ".".to_owned()
    } else {
        text::path(folder)
    }
}

/// Sorts the classes and assigns the labels.
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
            if largest >= MAX_CLASSES {
                let reason = format!("the label {largest} is too large: labels number the classes from 0");
                return Err(DatasetError::BadLabels {
                    file: plain(file).into_owned(),
                    reason,
                });
            }
            ids.values()
                .zip(numbers)
                .for_each(|(&id, number)| to[id as usize] = number);
            listing.is_numbered = true;
            (0..=largest).map(|label| label.to_string()).collect()
        }
        _ => {
            ids.values()
                .enumerate()
                .for_each(|(label, &id)| to[id as usize] = label as u32);
            ids.keys().cloned().collect()
        }
    };
    listing.renumber(|class| to.get(class as usize).copied());
    Ok(classes)
}

/// A number in plain notation. `007` is a name: otherwise two names would mean the same class.
fn plain_number(label: &str) -> Option<u32> {
    label.parse().ok().filter(|number: &u32| number.to_string() == label)
}
