//! Samples that are members of several mapped tars: packs, and WebDataset shards of other makers.

use super::map::Mapping;
use super::pack::Pack;

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
    /// Its name's place among all names.
    name: (u64, u32),
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
#[derive(Default)]
pub(super) struct Shards {
    pub(super) maps: Vec<Mapping>,
    pub(super) members: Vec<Member>,
    /// What the pack says of itself, if it is one.
    pub(super) pack: Option<Pack>,
    names: String,
}

impl Shards {
    /// Adds a member of the shard `shard` and gives its number.
    pub(super) fn push(&mut self, shard: u32, at: u64, canonical: u32, sums: Option<Sums>, name: &str) -> u64 {
        let number = self.members.len() as u64;
        self.members.push(Member {
            shard,
            at,
            canonical,
            sums,
            name: (self.names.len() as u64, name.len() as u32),
        });
        self.names.push_str(name);
        number
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
        let (at, length) = self.members[i].name;
        &self.names[at as usize..at as usize + length as usize]
    }
}
