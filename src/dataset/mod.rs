//! Data sets: their samples, classes and labels, and the bytes of each sample.
//!
//! | location | kind |
//! |---|---|
//! | `DIR` | class folders: `DIR/CLASS/*.jpg, *.png, …`; folders inside a class allowed, hidden files ignored |
//! | `DIR/x.tar`, `DIR/x.tar/train` | the same inside an uncompressed tar, read in place; or a tar of class tars |
//! | `DIR` with `dataset.json` | a pack: WebDataset shards with statistics, sums and original ids beside them |
//! | `DIR` of tars, `DIR/x-{000000..000009}.tar` | WebDataset shards: `KEY.jpg` (or .png, …) and `KEY.cls` |
//! | `DIR` of tars | class tars: `DIR/CLASS.tar`, a tar of the class's images |
//! | `DIR/x.txt`, `.tsv`, `.csv` | a list: `path<TAB>label` per line, paths relative to `DIR`, `#` comments |
//! | `cifar:DIR/train`, `cifar:DIR/test` | CIFAR-10, binary version: `DIR/data_batch_1.bin` to `_5.bin`, `DIR/test_batch.bin` |
//! | `ilsvrc:DIR/train`, `ilsvrc:DIR/val` | ILSVRC 2012 as it is downloaded: two tars and the development kit, read in place |
//! | `idx:DIR/PREFIX` | `DIR/PREFIX-images-idx3-ubyte[.gz]` and its labels: MNIST and its family |
//!
//! The **canonical order** of samples is by class, then by the bytes of the name. It is the same on every machine, whatever
//! the order in which the system lists files. Random numbers and the stream's hash derive from a sample's position in it. A
//! sample's **id** is `CLASS/name`.
//!
//! Nothing in a data set is trusted. Names are checked when they are read ([`SampleId`]), lengths are checked against the
//! bytes that exist, and data with a checksum against that.

mod apart;
mod below;
mod cifar;
mod class_tars;
mod classes;
mod devkit;
mod error;
mod export;
mod extension;
mod few;
mod folder;
mod idx;
mod ignored;
mod ilsvrc;
mod jpeg_writer;
mod list;
mod listing;
mod location;
mod map;
mod mat;
pub mod moments;
mod name;
pub mod pack;
mod pattern;
mod shards;
mod split;
mod split_name;
pub mod statistics;
pub mod sums;
mod storage;
mod tar;
mod tar_set;
mod tars;
mod texts;
mod webdataset;
mod whole;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use xxhash_rust::xxh3::Xxh3;

pub use apart::lies_in;
pub use below::{Below, NotWritten};
pub use error::{DatasetError, ReadError};
pub use export::{ExportError, export};
pub use extension::{all as image_extensions, is_image};
pub use ignored::Ignored;
pub use jpeg_writer::JpegWriter;
pub use map::{Mapped, Mapping};
pub use name::{ClassName, NameFault, SampleId, SampleName};
pub use split_name::SplitName;
pub use storage::{Encoded, Lent, read_image};

use classes::{Purpose, settle};
use listing::{Listing, Samples};
use location::Location;
use name::Classes;
use shards::{Form, Shards};
use storage::{Storage, Wanted};

/// An open data set. Everything but the images is in memory, about 50 bytes per sample. It may be a part of the set that was
/// opened.
pub struct Dataset {
    whole: Arc<Whole>,
    /// The positions of this part's samples in the whole, in rising order; `None` for the whole.
    places: Option<Vec<u32>>,
    ignored: Ignored,
}

/// The whole set at a location.
struct Whole {
    location: String,
    classes: Classes,
    samples: Samples,
    storage: Storage,
    /// Hash of the modification times.
    modified: u64,
}

impl Dataset {
    /// Opens the data set at `location` and lists all of it. No image is read. Each of its classes has samples.
    pub fn open(location: &str) -> Result<Self, DatasetError> {
        Self::open_as(location, Purpose::Learn)
    }

    /// Opens a set for a network that knows `classes`; a label is an index into these. The set's own classes are matched by
    /// name and may be only some of them.
    pub fn open_for(location: &str, classes: &[String]) -> Result<Self, DatasetError> {
        Self::open_as(location, Purpose::Try(classes))
    }

    fn open_as(location: &str, purpose: Purpose<'_>) -> Result<Self, DatasetError> {
        match Location::parse(location)? {
            Location::Folder(root) => {
                let (classes, listing) = folder::list(&root)?;
                Self::new(location, purpose, classes, listing, |_| Storage::Folder { root })
            }
            Location::List(file) => {
                let list::Listed {
                    classes,
                    listing,
                    paths,
                } = list::list(&file)?;
                let root = file.parent().unwrap_or(Path::new("")).to_owned();
                let storage = |at| Storage::List { root, paths, at };
                Self::new(location, purpose, classes, listing, storage)
            }
            Location::Tar(shard, inside) => {
                let listed = tar_set::list(location, &shard, &inside)?;
                Self::of_tar(location, purpose, listed, inside)
            }
            Location::Ilsvrc(folder, split) => {
                let listed = ilsvrc::list(location, &folder, &split)?;
                Self::of_tar(location, purpose, listed, String::new())
            }
            Location::Cifar(folder, split) => {
                let cifar::Listed {
                    classes,
                    listing,
                    pixels,
                } = cifar::list(location, &folder, &split)?;
                let storage = |at| Storage::Cifar { folder, pixels, at };
                Self::new(location, purpose, classes, listing, storage)
            }
            Location::Pack(root) => Self::of_shards(location, purpose, pack::list(&root)?),
            Location::Shards(files) => Self::of_shards(location, purpose, webdataset::list(location, &files)?),
            Location::Tars(files, others) => {
                let (classes, mut listing, shards) = tars::list(location, &files)?;
                listing.ignore_all(&others);
                Self::of_shards(location, purpose, (classes, listing, shards))
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
                Self::new(location, purpose, classes, listing, storage)
            }
        }
    }

    fn of_tar(
        location: &str,
        purpose: Purpose<'_>,
        listed: tar_set::Listed,
        inside: String,
    ) -> Result<Self, DatasetError> {
        let tar_set::Listed {
            classes,
            listing,
            map,
            form,
        } = listed;
        let storage = |at| Storage::Tar { map, inside, form, at };
        Self::new(location, purpose, classes, listing, storage)
    }

    fn of_shards(
        location: &str,
        purpose: Purpose<'_>,
        (classes, listing, mut shards): (Vec<String>, Listing, Shards),
    ) -> Result<Self, DatasetError> {
        Self::new(location, purpose, classes, listing, |numbers| {
            match shards.form {
                Form::Pack(_) => shards.sort(&numbers),
                Form::WebDataset | Form::ClassTars => shards.sort_and_number(&numbers),
            }
            Storage::Shards(shards)
        })
    }

    fn new(
        location: &str,
        purpose: Purpose<'_>,
        classes: Vec<String>,
        mut listing: Listing,
        storage: impl FnOnce(Vec<u64>) -> Storage,
    ) -> Result<Self, DatasetError> {
        let classes = settle(location, classes, &mut listing, purpose)?;
        let ignored = listing.ignored();
        let listing::Sorted { samples, at, modified } = listing.sort(location, &classes)?;
        let whole = Whole {
            location: location.to_owned(),
            classes,
            samples,
            storage: storage(at),
            modified,
        };
        Ok(Self {
            whole: Arc::new(whole),
            places: None,
            ignored,
        })
    }

    /// The location, as the user wrote it.
    pub fn location(&self) -> &str {
        &self.whole.location
    }

    /// The kind of storage, for messages.
    pub fn kind(&self) -> &'static str {
        self.whole.storage.kind()
    }

    /// How the labels are numbered, if other conventions exist.
    pub fn labels_are(&self) -> Option<&'static str> {
        self.whole.storage.labels()
    }

    /// The number of samples, which is at least one.
    #[expect(clippy::len_without_is_empty, reason = "an empty data set does not open")]
    pub fn len(&self) -> usize {
        self.places.as_ref().map_or(self.whole.samples.len(), Vec::len)
    }

    /// The class names; a label is an index into them.
    pub fn classes(&self) -> &[String] {
        self.whole.classes.as_slice()
    }

    /// The classes without samples, at most five of them by name; `None` if each class has one.
    pub fn lacks(&self) -> Option<String> {
        let mut seen = vec![false; self.classes().len()];
        (0..self.len()).for_each(|i| seen[self.label(i) as usize] = true);
        let count = seen.iter().filter(|seen| !**seen).count();
        let lacking = self.classes().iter().zip(&seen).filter(|(_, seen)| !**seen);
        let names = few::few(lacking.map(|(name, _)| name.as_str()));
        (count > 0).then(|| format!("no images of {count} of {} classes: {names}", seen.len()))
    }

    /// Files among the samples that are not samples.
    pub fn ignored(&self) -> &Ignored {
        &self.ignored
    }

    /// The label of sample `i` in the canonical order.
    pub fn label(&self, i: usize) -> u32 {
        self.whole.samples.label(self.place(i))
    }

    /// The id of sample `i`: `CLASS/name`.
    pub fn id(&self, i: usize) -> SampleId<'_> {
        SampleId::new(self.whole.classes.name(self.label(i)), self.name(i))
    }

    /// The length of sample `i` in bytes when the data set was opened.
    pub fn bytes(&self, i: usize) -> u64 {
        self.whole.samples.bytes(self.place(i))
    }

    /// Where sample `i` is, for messages: a path, or shard and key.
    pub fn where_is(&self, i: usize) -> String {
        self.whole.storage.where_is(self.wanted(i))
    }

    /// The bytes of sample `i`, which nobody else can change. Files are read into `scratch`, which keeps its memory. Bytes
    /// of a mapped file are copied there, because others may write to that file. Bytes in memory are lent.
    ///
    /// Call [`Dataset::verify`] afterwards to learn whether they were the file's.
    pub fn read<'a>(&'a self, i: usize, scratch: &'a mut Vec<u8>) -> Result<Encoded<'a>, ReadError> {
        self.whole.storage.read(self.wanted(i), scratch)
    }

    /// The bytes of sample `i` in place, for pixels; `None` if the sample is a file by itself.
    pub fn lend(&self, i: usize) -> Result<Option<Lent<'_>>, ReadError> {
        self.whole.storage.lend(self.wanted(i))
    }

    /// Checks that the bytes that [`Dataset::read`] and [`Dataset::lend`] gave for sample `i` were the file's throughout: a
    /// mapped tar that is shortened meanwhile reads as zeros. If the decoder refuses an image, check this first.
    pub fn verify(&self, i: usize) -> Result<(), ReadError> {
        self.whole.storage.check(self.wanted(i))
    }

    /// The number from which the random numbers of sample `i` derive: its position in the canonical order. In a pack it is
    /// the position in the canonical order of the source, which has holes where images were left out.
    pub fn canonical(&self, i: usize) -> u32 {
        let place = self.place(i);
        match &self.whole.storage {
            Storage::Shards(shards) => shards.members[place].canonical,
            _ => place as u32,
        }
    }

    /// The hash of the encoded bytes that sample `i` was packed from, if it was. The stream's hash is over those bytes.
    pub fn checksum(&self, i: usize) -> Option<u64> {
        match &self.whole.storage {
            Storage::Shards(shards) => Some(shards.members[self.place(i)].sums?.original),
            _ => None,
        }
    }

    /// The hash that the bytes of sample `i` must have, if they are in a pack.
    pub fn member_checksum(&self, i: usize) -> Option<u64> {
        match &self.whole.storage {
            Storage::Shards(shards) => Some(shards.members[self.place(i)].sums?.member),
            _ => None,
        }
    }

    /// Asks the system to read sample `i` ahead, if it is in a mapped file.
    pub fn prefetch(&self, i: usize) {
        self.whole.storage.prefetch(self.place(i), self.bytes(i));
    }

    /// The description of the pack, if the data set is one or a part of one.
    pub fn pack(&self) -> Option<&pack::Pack> {
        match &self.whole.storage {
            Storage::Shards(Shards {
                form: Form::Pack(pack), ..
            }) => Some(pack),
            _ => None,
        }
    }

    /// The hash of ids, labels and lengths in canonical order. A run can be resumed if it is equal.
    pub fn fingerprint(&self) -> u64 {
        let mut hash = Xxh3::new();
        for class in self.classes() {
            hash.update(class.as_bytes());
            hash.update(b"\0");
        }
        for i in 0..self.len() {
            hash.update(self.name(i).as_str().as_bytes());
            hash.update(b"\0");
            hash.update(&self.label(i).to_le_bytes());
            hash.update(&self.bytes(i).to_le_bytes());
        }
        hash.digest()
    }

    /// The hash of the fingerprint, the location and the modification times. Cached statistics are valid if it is equal.
    pub fn content_stamp(&self) -> u64 {
        let mut hash = Xxh3::new();
        hash.update(&self.fingerprint().to_le_bytes());
        hash.update(self.location().as_bytes());
        hash.update(&self.whole.modified.to_le_bytes());
        hash.digest()
    }

    fn wanted(&self, i: usize) -> Wanted<'_> {
        Wanted {
            i: self.place(i),
            id: self.id(i),
            bytes: self.bytes(i),
        }
    }

    fn name(&self, i: usize) -> SampleName<'_> {
        self.whole.samples.name(self.place(i))
    }
}

impl fmt::Debug for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Dataset({}, {} samples, {} classes)",
            self.location(),
            self.len(),
            self.classes().len()
        )
    }
}
