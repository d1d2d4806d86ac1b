//! Samples that are members of several mapped tars: packs, WebDataset shards from elsewhere, class tars.

use super::map::Mapping;
use super::pack::{Mode, Pack};
use super::texts::Texts;

/// The kind of the tars.
pub(super) enum Form {
    /// Shards of a pack, with its description.
    Pack(Pack),
    /// Shards with images and their classes.
    WebDataset,
    /// One tar per class.
    ClassTars,
}

impl Form {
    /// The kind of data set, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Pack(pack) => match pack.mode {
                Mode::Jpeg => "pack of JPEGs",
                Mode::Raw => "pack of raw pixels",
                Mode::Passthrough => "pack of original files",
            },
            Self::WebDataset => "WebDataset shards",
            Self::ClassTars => "class tars",
        }
    }
}

/// The location of one sample.
#[derive(Clone, Copy)]
pub(super) struct Member {
    /// The shard's index.
    pub(super) shard: u32,
    /// Its first byte in the shard.
    pub(super) at: u64,
    /// Its canonical index in the source of the pack.
    pub(super) canonical: u32,
    /// Its hashes, if it is in a pack.
    pub(super) sums: Option<Sums>,
    /// Its number in the order of the shards.
    number: u32,
}

/// Hashes of a sample of a pack.
#[derive(Clone, Copy)]
pub(super) struct Sums {
    /// The hash of its bytes.
    pub(super) member: u64,
    /// The hash of the bytes that it was made from.
    pub(super) original: u64,
}

/// All shards of a data set.
pub(super) struct Shards {
    pub(super) form: Form,
    pub(super) maps: Vec<Mapping>,
    pub(super) members: Vec<Member>,
    /// The members' names, by their numbers.
    names: Texts,
}

impl Shards {
    /// No samples yet.
    pub(super) fn new(form: Form) -> Self {
        Self {
            form,
            maps: Vec::new(),
            members: Vec::new(),
            names: Texts::default(),
        }
    }

    /// Adds a member of the shard `shard` and returns its number.
    pub(super) fn push(&mut self, shard: u32, at: u64, canonical: u32, sums: Option<Sums>, name: &str) -> u64 {
        let number = self.members.len();
        self.members.push(Member {
            shard,
            at,
            canonical,
            sums,
            number: number as u32,
        });
        self.names.push(name);
        number as u64
    }

    /// Sorts the members into the order of `numbers`.
    pub(super) fn sort(&mut self, numbers: &[u64]) {
        self.members = numbers.iter().map(|&number| self.members[number as usize]).collect();
    }

    /// Sorts the members into the order of `numbers` and numbers them again, because there is no source to number them by.
    pub(super) fn sort_and_number(&mut self, numbers: &[u64]) {
        self.sort(numbers);
        for (i, member) in self.members.iter_mut().enumerate() {
            member.canonical = i as u32;
        }
    }

    /// The shard of sample `i`.
    pub(super) fn map(&self, i: usize) -> &Mapping {
        &self.maps[self.members[i].shard as usize]
    }

    /// The name of sample `i` in its shard.
    pub(super) fn name(&self, i: usize) -> &str {
        self.names.get(self.members[i].number as usize)
    }
}
