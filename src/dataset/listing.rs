//! Samples as they are found, and their canonical order: by class, then by the bytes of the name.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::Xxh3;

use super::DatasetError;
use super::ignored::Ignored;
use super::name::{Classes, SampleId, SampleName};
use super::texts::Texts;

/// One sample as found by a reader. Its name is in the listing's arena.
#[derive(Clone, Copy)]
struct Found {
    class: u32,
    name: (usize, usize),
    bytes: u64,
    modified: u64,
    at: u64,
}

/// The samples that a reader has found so far, in the order of the system.
#[derive(Default)]
pub(super) struct Listing {
    arena: String,
    found: Vec<Found>,
    /// Ignored files, by class.
    ignored: BTreeMap<Option<u32>, Ignored>,
    /// How to treat samples of one class with the same name.
    pub(super) repeats: Repeats,
    /// Whether the classes are all numbers from 0 to the largest, even if some have no sample.
    pub(super) is_numbered: bool,
    /// Whether classes may be without samples because their images were left out on purpose.
    pub(super) may_lack: bool,
}

/// How to treat samples of one class with the same name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Repeats {
    /// An error.
    #[default]
    Refuse,
    /// The one found later replaces the earlier, as when a tar is unpacked.
    LastWins,
    /// They are different samples. The second is called `name~2.jpg`, the third `name~3.jpg`.
    Count,
}

/// The samples in canonical order. One string holds all names: no allocation per sample.
pub(super) struct Samples {
    names: Texts,
    labels: Vec<u32>,
    bytes: Vec<u64>,
}

/// The sorted samples, with the numbers that the storage keeps for them.
pub(super) struct Sorted {
    pub(super) samples: Samples,
    /// The reader's own number for each sample: a position in a tar, a record in an IDX file.
    pub(super) at: Vec<u64>,
    /// Hash of the modification times.
    pub(super) modified: u64,
}

impl Listing {
    pub(super) fn push(&mut self, class: u32, name: SampleName<'_>, bytes: u64, modified: u64, at: u64) {
        let name = self.keep(name.as_str());
        self.found.push(Found {
            class,
            name,
            bytes,
            modified,
            at,
        });
    }

    fn keep(&mut self, name: &str) -> (usize, usize) {
        let start = self.arena.len();
        self.arena.push_str(name);
        (start, self.arena.len())
    }

    fn name(&self, found: &Found) -> &str {
        &self.arena[found.name.0..found.name.1]
    }

    /// Counts an ignored file in a class, or outside of all classes.
    pub(super) fn ignore(&mut self, class: Option<u32>, name: &str) {
        self.ignored.entry(class).or_default().add(name);
    }

    /// Counts ignored files outside of all classes.
    pub(super) fn ignore_all(&mut self, files: &Ignored) {
        if !files.is_empty() {
            self.ignored.entry(None).or_default().merge(files);
        }
    }

    /// All ignored files.
    pub(super) fn ignored(&self) -> Ignored {
        let mut all = Ignored::default();
        self.ignored.values().for_each(|part| all.merge(part));
        all
    }

    /// The ignored files of a class.
    pub(super) fn ignored_of(&self, class: u32) -> Option<&Ignored> {
        self.ignored.get(&Some(class))
    }

    /// Renumbers the classes, either from order of appearance to sorted order or to another set's numbers. An ignored file
    /// counts as outside if its class has no number.
    pub(super) fn renumber(&mut self, to: impl Fn(u32) -> Option<u32>) {
        for found in &mut self.found {
            // A class with samples always has a number.
            found.class = to(found.class).unwrap_or(found.class);
        }
        for (class, part) in std::mem::take(&mut self.ignored) {
            self.ignored.entry(class.and_then(&to)).or_default().merge(&part);
        }
    }

    /// For each of `classes` classes, whether it has a sample.
    pub(super) fn seen(&self, classes: usize) -> Vec<bool> {
        let mut seen = vec![false; classes];
        for found in &self.found {
            seen[found.class as usize] = true;
        }
        seen
    }

    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// Sorts the samples, and copies the names into the same order.
    pub(super) fn sort(mut self, location: &str, classes: &Classes) -> Result<Sorted, DatasetError> {
        let mut found = self.in_order();
        let same = |listing: &Self, a: &Found, b: &Found| a.class == b.class && listing.name(a) == listing.name(b);
        let repeated = found
            .windows(2)
            .find(|pair| same(&self, &pair[0], &pair[1]))
            .map(|pair| pair[0]);
        match (repeated, self.repeats) {
            (Some(first), Repeats::Refuse) => {
                let name = SampleName::kept(self.name(&first));
                return Err(DatasetError::Repeated {
                    location: location.to_owned(),
                    sample: SampleId::new(classes.name(first.class), name).raw(),
                });
            }
            (Some(_), Repeats::Count) => {
                self.count_repeats(found);
                found = self.in_order();
            }
            _ => {}
        }
        let mut samples = Samples::with_capacity(found.len(), self.arena.len());
        let mut at = Vec::with_capacity(found.len());
        let mut modified = Xxh3::new();
        for (i, sample) in found.iter().enumerate() {
            if found.get(i + 1).is_some_and(|next| same(&self, sample, next)) {
                continue;
            }
            samples.push(self.name(sample), sample.class, sample.bytes);
            at.push(sample.at);
            modified.update(&sample.modified.to_le_bytes());
        }
        Ok(Sorted {
            samples,
            at,
            modified: modified.digest(),
        })
    }

    /// The samples in canonical order. Of two equal names, the one found later comes later.
    fn in_order(&mut self) -> Vec<Found> {
        let mut found = std::mem::take(&mut self.found);
        found.sort_by(|a, b| {
            let names = || self.name(a).as_bytes().cmp(self.name(b).as_bytes());
            a.class.cmp(&b.class).then_with(names)
        });
        found
    }

    /// Makes names unique: the n-th sample of a name becomes `name~n.jpg`, with the first number from n on that is free.
    fn count_repeats(&mut self, sorted: Vec<Found>) {
        let mut renamed = sorted.clone();
        let mut next = 2;
        for i in 1..sorted.len() {
            let (before, this) = (&sorted[i - 1], &sorted[i]);
            if before.class != this.class || self.name(before) != self.name(this) {
                next = 2;
                continue;
            }
            let name = loop {
                let name = numbered(self.name(this), next);
                next += 1;
                let is_taken = sorted.binary_search_by(|other| {
                    let names = || self.name(other).as_bytes().cmp(name.as_bytes());
                    other.class.cmp(&this.class).then_with(names)
                });
                if is_taken.is_err() {
                    break name;
                }
            };
            renamed[i].name = self.keep(&name);
        }
        self.found = renamed;
    }
}

/// `a/b~2.jpg` from `a/b.jpg` and 2. Different names and numbers give different results.
fn numbered(name: &str, number: u64) -> String {
    let last = name.rfind('/').map_or(0, |slash| slash + 1);
    match name[last..].rfind('.').filter(|&dot| dot > 0) {
        Some(dot) => format!("{}~{number}{}", &name[..last + dot], &name[last + dot..]),
        None => format!("{name}~{number}"),
    }
}

impl Samples {
    fn with_capacity(samples: usize, names: usize) -> Self {
        Self {
            names: Texts::with_capacity(samples, names),
            labels: Vec::with_capacity(samples),
            bytes: Vec::with_capacity(samples),
        }
    }

    fn push(&mut self, name: &str, label: u32, bytes: u64) {
        self.names.push(name);
        self.labels.push(label);
        self.bytes.push(bytes);
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn name(&self, i: usize) -> SampleName<'_> {
        SampleName::kept(self.names.get(i))
    }

    pub(super) fn label(&self, i: usize) -> u32 {
        self.labels[i]
    }

    pub(super) fn bytes(&self, i: usize) -> u64 {
        self.bytes[i]
    }
}
