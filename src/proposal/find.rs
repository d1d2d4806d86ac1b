//! Finds the data to train on and to validate with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{fs, io};

use super::ProposalError;
use crate::dataset::{Dataset, DatasetError, SplitName};
use crate::files;

/// The part of a training set that is set aside if there is no validation set.
pub(super) const FRACTION: f32 = 0.1;

/// The seed of the proposed run, which chooses that part: the default of `run.seed`.
const SEED: u64 = 1;

/// The data of a proposal.
pub struct Found {
    /// The training set, without the part set aside.
    pub train: Dataset,
    /// The data for validation.
    pub val: Held,
    /// A third part, for a test at the end.
    pub test: Option<String>,
}

/// The data for validation.
pub enum Held {
    /// A separate data set.
    Set(Dataset),
    /// A part of the training set.
    Aside(Dataset),
    /// Nothing: no class has two images.
    Nothing,
}

/// A part's name and location.
type Split = (SplitName, String);

/// Finds the parts of the data at `location`. Without parts, all of it is for training.
pub(super) fn find(location: &str) -> Result<Found, ProposalError> {
    let location = match location.trim_end_matches('/') {
        "" => location,
        trimmed => trimmed,
    };
    let nothing = |source| ProposalError::of(location, source);
    let mut splits = known(location);
    if splits.is_empty() {
        splits = entries(Path::new(location), location);
    }
    if !splits.iter().any(|(name, _)| *name == SplitName::Train) {
        match Dataset::open(location) {
            Ok(whole) => return Ok(set_aside(whole)),
            // A tar with folders of splits inside.
            Err(DatasetError::Splits { folders, .. }) => {
                let inside = |folder: String| Some((SplitName::of(&folder)?, format!("{location}/{folder}")));
                splits = folders.into_iter().filter_map(inside).collect();
            }
            // The data may be one folder deeper.
            Err(error) => match only_folder(location) {
                Some(below) => return find(&below).map_err(|_| nothing(error)),
                None => return Err(nothing(error)),
            },
        }
    }
    of_splits(location, splits).map_err(nothing)
}

/// Assigns the parts. A part without labels, like test images without classes, is skipped.
fn of_splits(location: &str, mut splits: Vec<Split>) -> Result<Found, DatasetError> {
    splits.sort();
    let train = splits.iter().find(|(name, _)| *name == SplitName::Train);
    let train = match train {
        Some((_, train)) => Dataset::open(train)?,
        // The error says which parts exist.
        None => Dataset::open(location)?,
    };
    let others = splits.iter().filter(|(name, _)| *name != SplitName::Train);
    let mut usable = Vec::new();
    for (name, part) in others {
        match Dataset::open_for(part, train.classes()) {
            Ok(part) => usable.push(part),
            // Somebody wants it to be used, so its fault must be known.
            Err(error) if *name == SplitName::Validation => return Err(error),
            Err(_) => {}
        }
    }
    let mut usable = usable.into_iter();
    let Some(val) = usable.next() else {
        return Ok(set_aside(train));
    };
    let test = usable.next().map(|test| test.location().to_owned());
    Ok(Found {
        train,
        val: Held::Set(val),
        test,
    })
}

fn set_aside(whole: Dataset) -> Found {
    // Listing the set again is cheaper than undoing a split that failed.
    let again = Dataset::open(whole.location());
    match again.and_then(|again| again.split(FRACTION, SEED)) {
        Ok((train, aside)) => Found {
            train,
            val: Held::Aside(aside),
            test: None,
        },
        Err(_) => Found {
            train: whole,
            val: Held::Nothing,
            test: None,
        },
    }
}

/// Whether that kind of thing is at a path. Where the system does not say, opening the data set gives the reason.
fn is(path: &Path, kind: fn(&Path) -> io::Result<bool>) -> bool {
    kind(path).unwrap_or(false)
}

/// The parts of known data sets, recognized by the names of their files.
fn known(location: &str) -> Vec<Split> {
    let is_there = |file: &str| is(&Path::new(location).join(file), files::is_file);
    let pair = |scheme: &str, train: &str, other: SplitName, name: &str| {
        vec![
            (SplitName::Train, format!("{scheme}:{location}/{train}")),
            (other, format!("{scheme}:{location}/{name}")),
        ]
    };
    let idx = |prefix: &str| {
        let file = format!("{prefix}-images-idx3-ubyte");
        is_there(&file) || is_there(&format!("{file}.gz"))
    };
    if is_there("data_batch_1.bin") {
        pair("cifar", "train", SplitName::Test, "test")
    } else if is_there("ILSVRC2012_img_train.tar") {
        pair("ilsvrc", "train", SplitName::Validation, "val")
    } else if idx("train") {
        let test = if idx("test") { "test" } else { "t10k" };
        pair("idx", "train", SplitName::Test, test)
    } else {
        Vec::new()
    }
}

/// The parts in a folder, each a folder, a tar or a list. Empty unless there is a training part and another one: otherwise
/// the names may be those of classes.
fn entries(folder: &Path, location: &str) -> Vec<Split> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut splits: Vec<Split> = Vec::new();
    let mut shards = Numbered::default();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        shards.add(name);
        let stem = match name.rsplit_once('.') {
            Some((stem, end))
                if ["tar", "txt", "tsv", "csv"]
                    .iter()
                    .any(|known| end.eq_ignore_ascii_case(known)) =>
            {
                stem
            }
            _ if is(&entry.path(), files::is_folder) => name,
            _ => continue,
        };
        if let Some(split) = SplitName::of(stem) {
            splits.push((split, format!("{location}/{name}")));
        }
    }
    splits.extend(shards.splits(location));
    // The system lists a folder in any order.
    splits.sort();
    let has = |wanted: SplitName| splits.iter().any(|(name, _)| *name == wanted);
    let is_split = has(SplitName::Train) && (has(SplitName::Validation) || has(SplitName::Test));
    if is_split { splits } else { Vec::new() }
}

/// Shards of several parts in one folder, `train-000000.tar` and `val-000000.tar`: the numbers, by the text before them.
#[derive(Default)]
struct Numbered(BTreeMap<String, BTreeSet<String>>);

impl Numbered {
    fn add(&mut self, name: &str) {
        let Some(stem) = name.strip_suffix(".tar") else { return };
        let before = stem.trim_end_matches(|c: char| c.is_ascii_digit());
        let number = &stem[before.len()..];
        if !number.is_empty() && SplitName::of(before.trim_end_matches(['-', '_'])).is_some() {
            self.0.entry(before.to_owned()).or_default().insert(number.to_owned());
        }
    }

    /// The parts, as patterns. Numbers with holes are not supported.
    fn splits(&self, location: &str) -> Vec<Split> {
        let of = |(before, numbers): (&String, &BTreeSet<String>)| {
            let (first, last) = (numbers.first()?, numbers.last()?);
            let count = last.parse::<usize>().ok()?.checked_sub(first.parse().ok()?)? + 1;
            let name = SplitName::of(before.trim_end_matches(['-', '_']))?;
            let pattern = format!("{location}/{before}{{{first}..{last}}}.tar");
            (first.len() == last.len() && count == numbers.len()).then_some((name, pattern))
        };
        self.0.iter().filter_map(of).collect()
    }
}

/// The only folder inside a folder, if there is exactly one.
fn only_folder(location: &str) -> Option<String> {
    let entries = fs::read_dir(location).ok()?.flatten();
    let names = entries
        .filter(|entry| is(&entry.path(), files::is_folder))
        .map(|entry| entry.file_name());
    let mut names = names.filter(|name| !name.as_encoded_bytes().starts_with(b"."));
    let only = names.next()?;
    let only = only.to_str()?;
    names.next().is_none().then(|| format!("{location}/{only}"))
}
