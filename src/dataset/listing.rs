//! Samples as they are found, put into the canonical order: class, then the bytes of the name.

use xxhash_rust::xxh3::Xxh3;

use super::DatasetError;

/// One sample as a reader found it. Its name lies in the listing's arena.
struct Found {
    class: u32,
    name: (usize, usize),
    bytes: u64,
    modified: u64,
    at: u64,
}

/// What a reader has found so far, in whatever order the system gave it.
#[derive(Default)]
pub(super) struct Listing {
    arena: String,
    found: Vec<Found>,
    /// Files passed over: not images.
    pub(super) ignored: u64,
}

/// What to do with two samples of the same name in one class.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeats {
    /// The one found later replaces the earlier, as when a tar is unpacked.
    LastWins,
    /// An error.
    Refuse,
}

/// The samples in canonical order: one string for all names, no allocation a sample.
pub(super) struct Samples {
    names: String,
    ends: Vec<usize>,
    labels: Vec<u32>,
    bytes: Vec<u64>,
}

/// The sorted samples, with what the storage keeps for each.
pub(super) struct Sorted {
    pub(super) samples: Samples,
    /// The reader's own number for each sample: a position in a tar, a record in an IDX file.
    pub(super) at: Vec<u64>,
    /// Hash of the modification times.
    pub(super) modified: u64,
}

impl Listing {
    pub(super) fn push(&mut self, class: u32, name: &str, bytes: u64, modified: u64, at: u64) {
        let start = self.arena.len();
        self.arena.push_str(name);
        self.found.push(Found {
            class,
            name: (start, self.arena.len()),
            bytes,
            modified,
            at,
        });
    }

    /// Renumbers the classes, when these were numbered as they were met.
    pub(super) fn relabel(&mut self, to: &[u32]) {
        for found in &mut self.found {
            found.class = to[found.class as usize];
        }
    }

    /// Which of `classes` have no sample.
    pub(super) fn empty_classes(&self, classes: &[String]) -> Vec<String> {
        let mut seen = vec![false; classes.len()];
        for found in &self.found {
            seen[found.class as usize] = true;
        }
        classes
            .iter()
            .zip(seen)
            .filter(|(_, seen)| !seen)
            .map(|(class, _)| class.clone())
            .collect()
    }

    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// Sorts, and copies the names so that they lie in order.
    pub(super) fn sort(self, location: &str, classes: &[String], repeats: Repeats) -> Result<Sorted, DatasetError> {
        let Self { arena, mut found, .. } = self;
        let name = |f: &Found| &arena[f.name.0..f.name.1];
        // Stable: of two equal names the one found later stays behind.
        found.sort_by(|a, b| {
            a.class
                .cmp(&b.class)
                .then_with(|| name(a).as_bytes().cmp(name(b).as_bytes()))
        });
        let same = |a: &Found, b: &Found| a.class == b.class && name(a) == name(b);
        if repeats == Repeats::Refuse
            && let Some(pair) = found.windows(2).find(|pair| same(&pair[0], &pair[1]))
        {
            let sample = format!("{}/{}", classes[pair[0].class as usize], name(&pair[0]));
            return Err(DatasetError::Repeated {
                location: location.to_owned(),
                sample,
            });
        }
        let mut samples = Samples::with_capacity(found.len(), arena.len());
        let mut at = Vec::with_capacity(found.len());
        let mut modified = Xxh3::new();
        for (i, sample) in found.iter().enumerate() {
            if found.get(i + 1).is_some_and(|next| same(sample, next)) {
                continue;
            }
            samples.push(name(sample), sample.class, sample.bytes);
            at.push(sample.at);
            modified.update(&sample.modified.to_le_bytes());
        }
        Ok(Sorted {
            samples,
            at,
            modified: modified.digest(),
        })
    }
}

impl Samples {
    fn with_capacity(samples: usize, names: usize) -> Self {
        Self {
            names: String::with_capacity(names),
            ends: Vec::with_capacity(samples),
            labels: Vec::with_capacity(samples),
            bytes: Vec::with_capacity(samples),
        }
    }

    fn push(&mut self, name: &str, label: u32, bytes: u64) {
        self.names.push_str(name);
        self.ends.push(self.names.len());
        self.labels.push(label);
        self.bytes.push(bytes);
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn name(&self, i: usize) -> &str {
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.names[start..self.ends[i]]
    }

    pub(super) fn label(&self, i: usize) -> u32 {
        self.labels[i]
    }

    pub(super) fn bytes(&self, i: usize) -> u64 {
        self.bytes[i]
    }
}
