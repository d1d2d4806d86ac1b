//! Datasets: which samples there are, their classes and labels, and the bytes of each.
//!
//! | location | kind |
//! |---|---|
//! | `DIR` | class folders: `DIR/CLASS/*.jpg, *.jpeg, *.png`; folders inside a class allowed, hidden files ignored |
//! | `DIR/x.tar`, `DIR/x.tar/train` | the same inside an uncompressed tar, read in place; or a tar of class tars |
//! | `DIR` with `dataset.json` | a pack: WebDataset shards with statistics, sums and original ids beside them |
//! | `DIR` of tars, `DIR/x-{000000..000009}.tar` | WebDataset shards: `KEY.jpg` (or .jpeg, .png, .ppm) and `KEY.cls` |
//! | `DIR/x.txt`, `.tsv`, `.csv` | a list: `path<TAB>label` a line, paths relative to `DIR`, `#` comments |
//! | `cifar:DIR/train`, `cifar:DIR/test` | CIFAR-10's binary version: `DIR/data_batch_1.bin` to `_5.bin`, `DIR/test_batch.bin` |
//! | `ilsvrc:DIR/train`, `ilsvrc:DIR/val` | ILSVRC 2012 as it is downloaded: two tars and the development kit, read in place |
//! | `idx:DIR/PREFIX` | `DIR/PREFIX-images-idx3-ubyte[.gz]` and its labels: MNIST and its family |
//!
//! The **canonical order** of samples is by class, then by the bytes of the name: the same on every machine, whatever
//! order the system lists files in. Random numbers and the stream's hash derive from a sample's place in it. A sample's
//! **id** is `CLASS/name`.

mod cifar;
mod class_tars;
mod classes;
mod devkit;
mod error;
mod export;
mod folder;
mod idx;
mod ilsvrc;
mod jpeg_writer;
mod list;
mod listing;
mod location;
mod map;
mod mat;
pub mod moments;
pub mod pack;
mod pattern;
mod shards;
pub mod statistics;
pub mod sums;
mod storage;
mod tar;
mod webdataset;

use std::fmt;
use std::path::Path;

use xxhash_rust::xxh3::Xxh3;

pub use classes::check_classes;
pub use error::{DatasetError, ExportError, ReadError};
pub use export::export;
pub use jpeg_writer::JpegWriter;
pub use map::{Mapped, Mapping};
pub use storage::{Encoded, Lent};

use listing::{Listing, Repeats, Samples};
use location::Location;
use storage::{Storage, Wanted};

/// A dataset, opened: everything but the images is in memory, at some 50 bytes a sample.
pub struct Dataset {
    location: String,
    classes: Vec<String>,
    samples: Samples,
    storage: Storage,
    ignored: u64,
    /// Hash of the modification times.
    modified: u64,
}

/// A sample's id, shown as `CLASS/name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleId<'a> {
    /// The class's name.
    pub class: &'a str,
    /// The name inside the class.
    pub name: &'a str,
}

impl fmt::Display for SampleId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.class, self.name)
    }
}

impl Dataset {
    /// Opens what lies at `location` and lists all of it; no image is read.
    pub fn open(location: &str) -> Result<Self, DatasetError> {
        match Location::parse(location)? {
            Location::Folder(root) => {
                let (classes, listing) = folder::list(location, &root)?;
                Self::new(location, classes, listing, Repeats::Refuse, |_| Storage::Folder {
                    root,
                })
            }
            Location::List(file) => {
                let (classes, listing) = list::list(location, &file)?;
                let root = file.parent().unwrap_or(Path::new("")).to_owned();
                Self::new(location, classes, listing, Repeats::Refuse, |_| Storage::List { root })
            }
            Location::Tar(shard, inside) => {
                let listed = tar::list(location, &shard, &inside)?;
                Self::of_tar(location, listed, inside)
            }
            Location::Ilsvrc(folder, split) => {
                let listed = ilsvrc::list(location, &folder, &split)?;
                Self::of_tar(location, listed, String::new())
            }
            Location::Cifar(folder, split) => {
                let cifar::Listed {
                    classes,
                    listing,
                    pixels,
                } = cifar::list(location, &folder, &split)?;
                let storage = |at| Storage::Cifar { folder, pixels, at };
                Self::new(location, classes, listing, Repeats::Refuse, storage)
            }
            Location::Pack(root) => {
                let (classes, listing, mut shards) = pack::list(&root)?;
                Self::new(location, classes, listing, Repeats::Refuse, |numbers| {
                    shards.sort(&numbers);
                    Storage::Shards(shards)
                })
            }
            Location::Shards(files) => {
                let (classes, listing, mut shards) = webdataset::list(location, &files)?;
                Self::new(location, classes, listing, Repeats::Refuse, |numbers| {
                    shards.sort_and_number(&numbers);
                    Storage::Shards(shards)
                })
            }
            Location::Idx(folder, prefix) => {
                let idx::Listed {
                    classes,
                    listing,
                    images,
                    width,
                    height,
                    pixels,
                } = idx::list(location, &folder, &prefix)?;
                let storage = |at| Storage::Idx {
                    images,
                    width,
                    height,
                    pixels,
                    at,
                };
                Self::new(location, classes, listing, Repeats::Refuse, storage)
            }
        }
    }

    fn of_tar(location: &str, listed: tar::Listed, inside: String) -> Result<Self, DatasetError> {
        let tar::Listed {
            classes,
            listing,
            map,
            form,
        } = listed;
        Self::new(location, classes, listing, Repeats::LastWins, |at| Storage::Tar {
            map,
            inside,
            form,
            at,
        })
    }

    fn new(
        location: &str,
        classes: Vec<String>,
        listing: Listing,
        repeats: Repeats,
        storage: impl FnOnce(Vec<u64>) -> Storage,
    ) -> Result<Self, DatasetError> {
        let ignored = listing.ignored;
        let listing::Sorted { samples, at, modified } = listing.sort(location, &classes, repeats)?;
        Ok(Self {
            location: location.to_owned(),
            classes,
            samples,
            storage: storage(at),
            ignored,
            modified,
        })
    }

    /// What was opened, as the user wrote it.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// The kind of storage, for people.
    pub fn kind(&self) -> &'static str {
        self.storage.kind()
    }

    /// What the labels count, in words, where it might be taken for something else.
    pub fn labels_are(&self) -> Option<&'static str> {
        self.storage.labels()
    }

    /// How many samples there are: at least two.
    #[expect(clippy::len_without_is_empty, reason = "an empty dataset does not open")]
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// The class names; a label is an index into them.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Files that lie among the samples and are none.
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    /// The label of sample `i` in the canonical order.
    pub fn label(&self, i: usize) -> u32 {
        self.samples.label(i)
    }

    /// The id of sample `i`: `CLASS/name`.
    pub fn id(&self, i: usize) -> SampleId<'_> {
        SampleId {
            class: &self.classes[self.samples.label(i) as usize],
            name: self.samples.name(i),
        }
    }

    /// How many bytes sample `i` had when the dataset was opened.
    pub fn bytes(&self, i: usize) -> u64 {
        self.samples.bytes(i)
    }

    /// Where sample `i` lies, for people: a path, or shard and key.
    pub fn where_is(&self, i: usize) -> String {
        self.storage.where_is(self.wanted(i))
    }

    /// The bytes of sample `i`, which nobody changes: files are read into `scratch`, which keeps its memory, and what lies in
    /// a mapped file is copied there, for others may write to that. What is in memory already is lent.
    ///
    /// Ask [`Dataset::verify`] afterwards whether they were the file's.
    pub fn read<'a>(&'a self, i: usize, scratch: &'a mut Vec<u8>) -> Result<Encoded<'a>, ReadError> {
        self.storage.read(self.wanted(i), scratch)
    }

    /// The bytes of sample `i` where they lie, for pixels that are read in place; `None` where it is a file of its own.
    pub fn lend(&self, i: usize) -> Result<Option<Lent<'_>>, ReadError> {
        self.storage.lend(self.wanted(i))
    }

    /// Checks that the bytes that [`Dataset::read`] and [`Dataset::lend`] gave for sample `i` were the file's throughout: a mapped tar that
    /// someone shortens meanwhile reads as zeros. An image that the decoder refuses is worth asking about first.
    pub fn verify(&self, i: usize) -> Result<(), ReadError> {
        self.storage.check(self.wanted(i))
    }

    /// The number from which the random numbers of sample `i` derive: its place in the canonical order, or, in a pack, its
    /// place in that of what was packed, which has holes where images were left out.
    pub fn canonical(&self, i: usize) -> u32 {
        match &self.storage {
            Storage::Shards(shards) => shards.members[i].canonical,
            _ => i as u32,
        }
    }

    /// The hash of the encoded bytes that sample `i` was packed from, where it was: the stream's hash is of those.
    pub fn checksum(&self, i: usize) -> Option<u64> {
        match &self.storage {
            Storage::Shards(shards) => Some(shards.members[i].sums?.original),
            _ => None,
        }
    }

    /// The hash that the bytes of sample `i` must have, where they are a pack's.
    pub fn member_checksum(&self, i: usize) -> Option<u64> {
        match &self.storage {
            Storage::Shards(shards) => Some(shards.members[i].sums?.member),
            _ => None,
        }
    }

    /// Asks the system to read sample `i` ahead, where it lies in a mapped file.
    pub fn prefetch(&self, i: usize) {
        self.storage.prefetch(i, self.samples.bytes(i));
    }

    /// What the dataset says of itself as a pack, if it is one.
    pub fn pack(&self) -> Option<&pack::Pack> {
        match &self.storage {
            Storage::Shards(shards) => shards.pack.as_ref(),
            _ => None,
        }
    }

    /// Hash of ids, labels and lengths in canonical order: equal where a resumed run may go on.
    pub fn fingerprint(&self) -> u64 {
        let mut hash = Xxh3::new();
        for class in &self.classes {
            hash.update(class.as_bytes());
            hash.update(b"\0");
        }
        for i in 0..self.len() {
            hash.update(self.samples.name(i).as_bytes());
            hash.update(b"\0");
            hash.update(&self.label(i).to_le_bytes());
            hash.update(&self.bytes(i).to_le_bytes());
        }
        hash.digest()
    }

    /// The fingerprint, the location and the modification times: equal where cached statistics still hold.
    pub fn content_stamp(&self) -> u64 {
        let mut hash = Xxh3::new();
        hash.update(&self.fingerprint().to_le_bytes());
        hash.update(self.location.as_bytes());
        hash.update(&self.modified.to_le_bytes());
        hash.digest()
    }

    fn wanted(&self, i: usize) -> Wanted<'_> {
        let SampleId { class, name } = self.id(i);
        Wanted {
            i,
            class,
            name,
            bytes: self.samples.bytes(i),
        }
    }
}

impl fmt::Debug for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Dataset({}, {} samples, {} classes)",
            self.location,
            self.len(),
            self.classes.len()
        )
    }
}
