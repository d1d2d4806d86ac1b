//! What can be wrong with a data set: every message names the place, the reason and what to do.

use std::io;
use std::path::Path;

use super::extension::all as extensions;
use super::few::few;
use super::ignored::Ignored;
use super::name::NameFault;
use crate::text::{self, plain};

/// Why a data set cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// Nothing exists there.
    #[error("{}: not found ({hint})", if location.is_empty() { "\"\"".into() } else { plain(location) })]
    NotFound {
        /// What was asked for.
        location: String,
        /// How far the path exists.
        hint: String,
    },
    /// It exists, but is not of a kind that can be read.
    #[error(
        "{}: {what}; a data set is a folder of class folders, a .tar of them (or a folder inside it), a pack, \
         WebDataset shards, class tars, a list file (.txt, .tsv, .csv), idx:DIR/PREFIX, cifar:DIR/train or ilsvrc:DIR/train",
        plain(location)
    )]
    UnknownKind {
        /// What was asked for.
        location: String,
        /// What is there.
        what: String,
    },
    /// The system does not allow reading a folder or file.
    #[error("{path}: cannot be read: {}", text::plain(&.source.to_string()))]
    Unreadable {
        /// The folder or file.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// No class folder at all.
    #[error(
        "{}: there are no class folders ({found}); put the images of each class into a folder, or write a list file",
        plain(location)
    )]
    NoClasses {
        /// The data set.
        location: String,
        /// What it holds instead.
        found: String,
    },
    /// Class folders, but not a single image.
    #[error("{}: contains no images (files named {}); {ignored}", plain(location), extensions())]
    NoImages {
        /// The data set.
        location: String,
        /// The files that were ignored.
        ignored: Box<Ignored>,
    },
    /// A list without samples.
    #[error(
        "{}: the list has no samples; each line needs a path, a tab and a label",
        plain(file)
    )]
    EmptyList {
        /// The list.
        file: String,
    },
    /// A single class: there is nothing to distinguish.
    #[error(
        "{}: there is only one class, {class:?}, and a classifier needs two; is this the parent of the class folders, or one of them?",
        plain(location)
    )]
    OneClass {
        /// The data set.
        location: String,
        /// The class.
        class: String,
    },
    /// No class has two images, so none can be set aside.
    #[error(
        "{}: no class has two images, so none can be set aside for validation",
        plain(location)
    )]
    NothingToSetAside {
        /// The data set.
        location: String,
    },
    /// The folders are train, val, …: splits rather than classes.
    #[error(
        "{0}: its folders are splits ({1}), not classes; choose one of them, such as {0}/{2}",
        plain(location),
        few(.folders.iter().map(String::as_str)),
        .folders.first().map(|first| plain(first)).unwrap_or_default()
    )]
    Splits {
        /// The data set.
        location: String,
        /// The folders.
        folders: Vec<String>,
    },
    /// Classes without images.
    #[error(
        "{}: no images in {count} of its classes: {classes}{passed}; remove them or add images",
        plain(location)
    )]
    EmptyClasses {
        /// The data set.
        location: String,
        /// How many there are.
        count: usize,
        /// At most five of them.
        classes: String,
        /// What is there instead of images, or nothing.
        passed: String,
    },
    /// Labels are numbers, and some have no images.
    #[error(
        "{}: labels start at 0, but {count} of them have no image: {labels}; {hint}",
        plain(location)
    )]
    LabelsWithHoles {
        /// The data set.
        location: String,
        /// How many there are.
        count: usize,
        /// At most five of them.
        labels: String,
        /// What to do.
        hint: String,
    },
    /// Classes that a network was not trained for.
    #[error(
        "{}: there are images of classes that the run does not have: {unknown}; the run has {known}",
        plain(location)
    )]
    UnknownClasses {
        /// The data set.
        location: String,
        /// At most five of them.
        unknown: String,
        /// At most five of the run's.
        known: String,
    },
    /// A name that would lead elsewhere if it were made part of a path.
    #[error("{place}: {name:?} cannot be the name of a class or a sample: {reason}")]
    Name {
        /// The file, or the file and the place inside.
        place: String,
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The same sample twice.
    #[error("{}: sample {sample:?} occurs twice; keep one of them", plain(location))]
    Repeated {
        /// The data set.
        location: String,
        /// CLASS/name.
        sample: String,
    },
    /// A name that is not UTF-8: sample ids are text.
    #[error("{path}: its name is not UTF-8; rename it")]
    NotUtf8 {
        /// The name with the foreign bytes replaced.
        path: String,
    },
    /// Folders nested without end.
    #[error("{path}: folders are nested deeper than {limit} levels; is it a loop of links?")]
    TooDeep {
        /// Where the limit was passed.
        path: String,
        /// Levels allowed.
        limit: usize,
    },
    /// The tar's own structure is damaged.
    #[error("{shard}: damaged tar: {reason}")]
    DamagedTar {
        /// The tar.
        shard: String,
        /// What is wrong, where, and what to do.
        reason: String,
    },
    /// A member name that points outside the tar.
    #[error("{shard}: refused: the member name {key:?} {reason}; recreate the tar from inside its folder")]
    HostileName {
        /// The tar.
        shard: String,
        /// The name.
        key: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A link that does not lead to a file in the tar.
    #[error("{shard}: member {} is a link to {reason}", plain(key))]
    Link {
        /// The tar.
        shard: String,
        /// The link.
        key: String,
        /// Where it leads, what is wrong with that, and what to do.
        reason: String,
    },
    /// An intact tar whose members do not fit the kind of data set.
    #[error("{shard}: {reason}")]
    Shard {
        /// The tar.
        shard: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// Shards without labels.
    #[error(
        "{}: no image has a label: there are {found}; expected KEY.cls, which contains a number or a name, next to KEY.jpg ({})",
        plain(location),
        extensions()
    )]
    NoLabels {
        /// The data set.
        location: String,
        /// What there is instead.
        found: String,
    },
    /// An incomplete pack.
    #[error(
        "{}: the pack is unfinished; finish it with the same pipeline pack command and --resume",
        plain(location)
    )]
    UnfinishedPack {
        /// Its folder.
        location: String,
    },
    /// A pack whose files contradict each other.
    #[error("{path}: {reason}; copy it again, or pack again (pipeline inspect DIR --verify checks a whole pack)")]
    DamagedPack {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A pack of another version of the format.
    #[error("{path}: the format has version {version}, but this program reads version {reads}; pack again")]
    PackVersion {
        /// The manifest.
        path: String,
        /// Its version.
        version: u32,
        /// The version that is read.
        reads: u32,
    },
    /// A line of a list file.
    #[error("{file}, line {line}: {reason}")]
    ListLine {
        /// The list.
        file: String,
        /// The line number, from 1.
        line: usize,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The labels of a list as a whole.
    #[error("{file}: {reason}")]
    BadLabels {
        /// The list.
        file: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// An IDX file that contradicts itself or its pair.
    #[error("{file}: {reason}")]
    Idx {
        /// The IDX file.
        file: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A scheme with an unknown split.
    #[error("{}: there is no split {split:?}; use {choices}", plain(location))]
    Split {
        /// The data set.
        location: String,
        /// The split asked for.
        split: String,
        /// The splits that exist.
        choices: &'static str,
    },
    /// A malformed file of CIFAR-10.
    #[error("{file}: {reason}")]
    Cifar {
        /// The file.
        file: String,
        /// What is wrong, in which record, and what to do.
        reason: String,
    },
    /// The files of ILSVRC 2012 contradict each other.
    #[error("{file}: {reason}")]
    Ilsvrc {
        /// The file.
        file: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A tar of images without class folders.
    #[error(
        "{}: there are {images} images but no class folders, so no image has a label; unpack it and write a list \
         file, or make a tar of class folders; ILSVRC 2012's validation images open as ilsvrc:DIR/val, with \
         ILSVRC2012_img_val.tar and ILSVRC2012_devkit_t12.tar.gz in DIR",
        plain(location)
    )]
    FlatTar {
        /// The data set.
        location: String,
        /// How many images it holds.
        images: u64,
    },
}

impl DatasetError {
    /// The error for a file or folder that cannot be read.
    pub(super) fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = text::path(path);
        move |source| Self::Unreadable { path, source }
    }

    /// The error for a file of a pack that is not as it was written.
    pub(super) fn damaged_pack(path: &Path, reason: impl ToString) -> Self {
        Self::DamagedPack {
            path: text::path(path),
            reason: reason.to_string(),
        }
    }

    /// The error for a refused name, found at `place`.
    pub(super) fn name(place: &str, name: &str) -> impl FnOnce(NameFault) -> Self {
        let (place, name) = (place.to_owned(), name.to_owned());
        move |fault| Self::Name {
            place,
            name,
            reason: fault.to_string(),
        }
    }
}

/// Why a sample's bytes cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system reported an error.
    #[error("{file}: cannot be read: {source}")]
    Io {
        /// The file.
        file: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The file became shorter after the data set was opened.
    #[error(
        "{file}: was truncated while in use: the sample ends at byte {end}, the file at {length}; restore the file and resume"
    )]
    Truncated {
        /// The file, and the key inside it.
        file: String,
        /// Where the sample should end.
        end: u64,
        /// How long the file is now.
        length: u64,
    },
    /// Too large to be an image.
    #[error("{file}: {bytes} bytes exceed the limit of {limit} for one image")]
    TooLarge {
        /// The file.
        file: String,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
}
