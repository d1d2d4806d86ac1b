//! What can be wrong with a dataset: every message names the place, the reason and what to do.

use std::io;

/// Why a dataset cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// Nothing lies there.
    #[error("{location}: not found ({hint})")]
    NotFound {
        /// What was asked for.
        location: String,
        /// How far the path exists.
        hint: String,
    },
    /// It exists, but is none of the kinds that can be read.
    #[error(
        "{location}: {what}; a dataset is a folder of class folders, a .tar of them (or a folder inside it), a pack, \
         WebDataset shards, a list file (.txt, .tsv, .csv), idx:DIR/PREFIX, cifar:DIR/train or ilsvrc:DIR/train"
    )]
    UnknownKind {
        /// What was asked for.
        location: String,
        /// What lies there.
        what: String,
    },
    /// A folder or file that the system does not let us read.
    #[error("{path}: cannot be read: {source}")]
    Unreadable {
        /// The folder or file.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// No class folder at all.
    #[error(
        "{location}: holds no class folders ({found}); put each class's images into a folder of its own, or write a list file"
    )]
    NoClasses {
        /// The dataset.
        location: String,
        /// What it holds instead.
        found: String,
    },
    /// Class folders, but not a single image.
    #[error("{location}: holds no images: {ignored} files that are not .jpg, .jpeg or .png were ignored")]
    NoImages {
        /// The dataset.
        location: String,
        /// How many files were passed over.
        ignored: u64,
    },
    /// One class cannot be learnt from.
    #[error(
        "{location}: holds only one class, {class:?}; a classifier needs two: is this the folder above or below the class folders?"
    )]
    OneClass {
        /// The dataset.
        location: String,
        /// The class.
        class: String,
    },
    /// The folders are train, val, …: splits rather than classes.
    #[error("{location}: its folders are splits ({folders}), not classes; name one of them, as in {location}/{first}")]
    Splits {
        /// The dataset.
        location: String,
        /// The folders, separated by commas.
        folders: String,
        /// One of them.
        first: String,
    },
    /// Classes without images.
    #[error("{location}: no images in {} of its classes: {}; remove these or fill them", .classes.len(), .classes.join(", "))]
    EmptyClasses {
        /// The dataset.
        location: String,
        /// All of them.
        classes: Vec<String>,
    },
    /// The same sample twice.
    #[error("{location}: sample {sample:?} occurs twice; keep one of them")]
    Repeated {
        /// The dataset.
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
    /// Folders in folders without end.
    #[error("{path}: folders are nested deeper than {limit} levels; is it a loop of links?")]
    TooDeep {
        /// Where the limit was passed.
        path: String,
        /// Levels allowed.
        limit: usize,
    },
    /// The tar's own structure is damaged.
    #[error("{shard}: damaged tar: {reason}; copy it again")]
    DamagedTar {
        /// The tar.
        shard: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// A member name that points outside.
    #[error(
        "{shard}: refused: the member name {key:?} is absolute or leaves the archive; make the tar again from inside its folder"
    )]
    HostileName {
        /// The tar.
        shard: String,
        /// The name.
        key: String,
    },
    /// A pack that was not written to its end.
    #[error("{location}: an unfinished pack; go on with it by the same pipeline pack command and --resume")]
    UnfinishedPack {
        /// Its folder.
        location: String,
    },
    /// A pack whose files contradict each other.
    #[error("{path}: {reason}; copy it again, or pack again (pipeline inspect DIR --verify looks at all of a pack)")]
    DamagedPack {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A line of a list file.
    #[error("{file}, line {line}: {reason}")]
    ListLine {
        /// The list.
        file: String,
        /// Counted from 1.
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
    /// A scheme with a split that it does not have.
    #[error("{location}: no split {split:?}; write {choices}")]
    Split {
        /// The dataset.
        location: String,
        /// What was asked for.
        split: String,
        /// What there is.
        choices: &'static str,
    },
    /// A file of CIFAR-10 that is not as it should be.
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
    /// A tar of images without folders.
    #[error(
        "{location}: holds {images} images but no class folders, so that no image has a label; unpack it and write a list \
         file, or make a tar of class folders; ILSVRC 2012's validation images open as ilsvrc:DIR/val, with \
         ILSVRC2012_img_val.tar and ILSVRC2012_devkit_t12.tar.gz in DIR"
    )]
    FlatTar {
        /// The dataset.
        location: String,
        /// How many images it holds.
        images: u64,
    },
    /// Training and validation do not speak of the same classes.
    #[error("train and val differ in their classes: {detail}; both must have the same class names")]
    ClassesDiffer {
        /// At most five names a side.
        detail: String,
    },
}

/// Why one sample's bytes cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system refused.
    #[error("{file}: cannot be read: {source}")]
    Io {
        /// The file.
        file: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The file became shorter after the dataset was opened.
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
    #[error("{file}: {bytes} bytes is more than the limit of {limit} for one image")]
    TooLarge {
        /// The file.
        file: String,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
}

/// Why an export did not come about.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The target holds something.
    #[error("{out}: exists and is not empty; name another folder or remove it")]
    OutNotEmpty {
        /// The target.
        out: String,
    },
    /// Writing failed.
    #[error("{path}: cannot be written: {source}")]
    Write {
        /// The file or folder.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A sample could not be read.
    #[error("{sample}: {source}")]
    Read {
        /// CLASS/name.
        sample: String,
        /// The reason.
        source: ReadError,
    },
    /// A sample could not be compressed.
    #[error("{sample}: cannot be written as JPEG: {reason}")]
    Encode {
        /// CLASS/name, or what was being set up.
        sample: String,
        /// libjpeg-turbo's reason.
        reason: String,
    },
}
