//! Samples that are members of several mapped tars: packs, WebDataset shards of other makers, class tars.

use std::path::PathBuf;

use super::listing::Listing;
use super::map::Mapping;
use super::pack::{Mode, Pack};
use super::texts::Texts;
use super::{DatasetError, class_tars, tar, webdataset};

/// What the tars are.
pub(super) enum Form {
    /// A pack's, and what it says of itself.
    Pack(Pack),
    /// Images beside their classes.
    WebDataset,
    /// A class each.
    ClassTars,
}

impl Form {
    /// What kind of dataset that is, for people.
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

/// Lists the tars of a folder: WebDataset shards where the first says what its images show, else class tars.
pub(super) fn list_folder(location: &str, files: &[PathBuf]) -> Result<(Vec<String>, Listing, Shards), DatasetError> {
    let is_shard = match files.first() {
        Some(first) => webdataset::class_of_a_key(&tar::open(first)?.1).is_some(),
        None => false,
    };
    if is_shard {
        webdataset::list(location, files)
    } else {
        class_tars::list_folder(location, files)
    }
}

/// Where one sample lies.
#[derive(Clone, Copy)]
pub(super) struct Member {
    /// Which of the shards.
    pub(super) shard: u32,
    /// Its first byte there.
    pub(super) at: u64,
    /// Its canonical index in what a pack was made of.
    pub(super) canonical: u32,
    /// What its pack says of its bytes, if it is in one.
    pub(super) sums: Option<Sums>,
    /// Its number in the order of the shards.
    number: u32,
}

/// Hashes of a sample of a pack.
#[derive(Clone, Copy)]
pub(super) struct Sums {
    /// Of its bytes.
    pub(super) member: u64,
    /// Of the bytes that it was made of.
    pub(super) original: u64,
}

/// All shards of a dataset.
pub(super) struct Shards {
    pub(super) form: Form,
    pub(super) maps: Vec<Mapping>,
    pub(super) members: Vec<Member>,
    /// The members' names, by their numbers.
    names: Texts,
}

impl Shards {
    /// None yet.
    pub(super) fn new(form: Form) -> Self {
        Self {
            form,
            maps: Vec::new(),
            members: Vec::new(),
            names: Texts::default(),
        }
    }

    /// Adds a member of the shard `shard` and gives its number.
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

    /// Puts the members into the order of `numbers`.
    pub(super) fn sort(&mut self, numbers: &[u64]) {
        self.members = numbers.iter().map(|&number| self.members[number as usize]).collect();
    }

    /// Puts the members into the order of `numbers` and counts them anew: there is no source to number them by.
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
