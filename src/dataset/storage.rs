//! Where the bytes of samples are, and how they are read.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::cifar;
use super::map::{Mapped, Mapping};
use super::shards::Shards;
use super::tar_set::Form;
use super::texts::Texts;
use super::{ReadError, SampleId, whole};
use crate::files;
use crate::text;

/// The limit on an image file. No photograph is this large, so larger files are not read into memory.
const MAX_BYTES: u64 = 1 << 30;

/// A sample's bytes as they are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoded<'a> {
    /// An image file, whatever its name.
    File(&'a [u8]),
    /// Raw grey pixels, row by row.
    Grey {
        /// Pixels per row.
        width: u32,
        /// Rows.
        height: u32,
        /// `width * height` bytes.
        pixels: &'a [u8],
    },
    /// Raw RGB pixels, row by row, interleaved.
    Rgb {
        /// Pixels per row.
        width: u32,
        /// Rows.
        height: u32,
        /// `3 * width * height` bytes.
        pixels: &'a [u8],
    },
}

impl<'a> Encoded<'a> {
    /// The bytes, whatever their format.
    pub fn bytes(self) -> &'a [u8] {
        match self {
            Self::File(bytes) | Self::Grey { pixels: bytes, .. } | Self::Rgb { pixels: bytes, .. } => bytes,
        }
    }
}

/// A sample's bytes in place.
#[derive(Clone, Copy)]
pub enum Lent<'a> {
    /// In a mapped file, which others may overwrite.
    Mapped(Mapped<'a>),
    /// In memory.
    Memory(Encoded<'a>),
}

/// Where a data set's bytes are.
pub(super) enum Storage {
    /// `root/CLASS/name`.
    Folder { root: PathBuf },
    /// Files named by a list, as paths from `root`. `at` has the numbers of the paths.
    List { root: PathBuf, paths: Texts, at: Vec<u64> },
    /// Members of a mapped tar. `at` has their positions.
    Tar {
        map: Mapping,
        inside: String,
        form: Form,
        at: Vec<u64>,
    },
    /// Members of several mapped tars.
    Shards(Shards),
    /// Grey images in memory. `at` has their records.
    Idx {
        images: PathBuf,
        width: u32,
        height: u32,
        pixels: Vec<u8>,
        at: Vec<u64>,
    },
    /// CIFAR-10's images in memory. `at` has their records, counted through all batches.
    Cifar {
        folder: PathBuf,
        pixels: Vec<u8>,
        at: Vec<u64>,
    },
}

/// A sample, with all the identifiers that a storage may need.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) i: usize,
    pub(super) id: SampleId<'a>,
    pub(super) bytes: u64,
}

impl Storage {
    pub(super) fn read<'a>(&'a self, wanted: Wanted<'_>, scratch: &'a mut Vec<u8>) -> Result<Encoded<'a>, ReadError> {
        match self.lend(wanted)? {
            Some(Lent::Memory(encoded)) => return Ok(encoded),
            Some(Lent::Mapped(bytes)) => bytes.copy(scratch),
            None => self.read_file(wanted, scratch)?,
        }
        Ok(Encoded::File(scratch))
    }

    /// A sample's bytes in place; `None` if each sample is a file by itself.
    pub(super) fn lend(&self, wanted: Wanted<'_>) -> Result<Option<Lent<'_>>, ReadError> {
        self.check(wanted)?;
        let bytes = wanted.bytes as usize;
        Ok(Some(match self {
            Self::Folder { .. } | Self::List { .. } => return Ok(None),
            Self::Tar { map, at, .. } => Lent::Mapped(map.lend(at[wanted.i] as usize, bytes)),
            Self::Shards(shards) => {
                let at = shards.members[wanted.i].at as usize;
                Lent::Mapped(shards.map(wanted.i).lend(at, bytes))
            }
            Self::Idx {
                width,
                height,
                pixels,
                at,
                ..
            } => Lent::Memory(Encoded::Grey {
                width: *width,
                height: *height,
                pixels: &pixels[at[wanted.i] as usize * bytes..][..bytes],
            }),
            Self::Cifar { pixels, at, .. } => Lent::Memory(Encoded::Rgb {
                width: cifar::SIDE,
                height: cifar::SIDE,
                pixels: &pixels[at[wanted.i] as usize * bytes..][..bytes],
            }),
        }))
    }

    /// Reads a sample that is a file by itself.
    fn read_file(&self, wanted: Wanted<'_>, scratch: &mut Vec<u8>) -> Result<(), ReadError> {
        match self {
            Self::Folder { root } => read_file(root, &[wanted.id.class(), wanted.id.name()], scratch),
            Self::List { root, paths, at } => read_file(root, &[paths.get(at[wanted.i] as usize)], scratch),
            Self::Tar { .. } | Self::Shards(_) | Self::Idx { .. } | Self::Cifar { .. } => Ok(()),
        }
    }

    /// Checks that bytes returned earlier were the file's.
    pub(super) fn check(&self, wanted: Wanted<'_>) -> Result<(), ReadError> {
        let (map, at) = match self {
            Self::Tar { map, at, .. } => (map, at[wanted.i]),
            Self::Shards(shards) => (shards.map(wanted.i), shards.members[wanted.i].at),
            Self::Folder { .. } | Self::List { .. } | Self::Idx { .. } | Self::Cifar { .. } => return Ok(()),
        };
        let end = at + wanted.bytes;
        map.check(end).map_err(|length| ReadError::Truncated {
            file: self.where_is(wanted),
            end,
            length,
        })
    }

    /// Asks the system to load a sample's bytes soon.
    pub(super) fn prefetch(&self, i: usize, bytes: u64) {
        match self {
            Self::Tar { map, at, .. } => map.prefetch(at[i], bytes),
            Self::Shards(shards) => shards.map(i).prefetch(shards.members[i].at, bytes),
            Self::Folder { .. } | Self::List { .. } | Self::Idx { .. } | Self::Cifar { .. } => {}
        }
    }

    /// Where a sample is, for messages.
    pub(super) fn where_is(&self, wanted: Wanted<'_>) -> String {
        let id = wanted.id;
        let in_shard = |shard: &Path, key: &str| format!("shard {}, key {}", text::path(shard), text::plain(key));
        match self {
            Self::Folder { root } => text::path(&id.path_below(root)),
            Self::List { root, paths, at } => text::path(&root.join(paths.get(at[wanted.i] as usize))),
            Self::Tar { map, inside, form, .. } => {
                let slash = if inside.is_empty() { "" } else { "/" };
                let key = form.key(id.class(), id.name());
                in_shard(map.path(), &format!("{inside}{slash}{key}"))
            }
            Self::Shards(shards) => in_shard(shards.map(wanted.i).path(), shards.name(wanted.i)),
            Self::Idx { images, at, .. } => format!("{}, image {}", text::path(images), at[wanted.i]),
            Self::Cifar { folder, .. } => cifar::where_is(folder, id.name()),
        }
    }

    /// The kind of data set, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Folder { .. } => "class folders",
            Self::List { .. } => "list file",
            Self::Tar { form, .. } => form.kind(),
            Self::Shards(shards) => shards.form.kind(),
            Self::Idx { .. } => "IDX",
            Self::Cifar { .. } => "CIFAR-10",
        }
    }

    /// How the labels are numbered, if other conventions exist.
    pub(super) fn labels(&self) -> Option<&'static str> {
        match self {
            Self::Tar { form, .. } => form.labels(),
            _ => None,
        }
    }
}

/// The bytes of one image file. Nothing but a regular file is opened: a pipe or a device may never end.
pub fn read_image(path: &Path) -> io::Result<Vec<u8>> {
    match files::metadata(path)? {
        Some(found) if !found.is_file() => Err(io::Error::other("it is not a regular file")),
        _ => whole::read(path, MAX_BYTES),
    }
}

/// Reads a file into `scratch`. Its path is also built there, so no sample costs an allocation.
fn read_file(root: &Path, parts: &[&str], scratch: &mut Vec<u8>) -> Result<(), ReadError> {
    scratch.clear();
    scratch.extend_from_slice(root.as_os_str().as_bytes());
    for part in parts {
        if scratch.last().is_some_and(|&last| last != b'/') {
            scratch.push(b'/');
        }
        // A list may contain absolute paths.
        if part.starts_with('/') {
            scratch.clear();
        }
        scratch.extend_from_slice(part.as_bytes());
    }
    let path = Path::new(OsStr::from_bytes(scratch));
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
    let named = |source: io::Error| {
        let path = parts.iter().fold(root.to_owned(), |path, part| path.join(part));
        ReadError::Io {
            file: text::path(&path),
            source,
        }
    };
    let (bytes, mut file) = opened.map_err(named)?;
    if bytes > MAX_BYTES {
        return Err(ReadError::TooLarge {
            file: text::path(path),
            bytes,
            limit: MAX_BYTES,
        });
    }
    scratch.clear();
    scratch.reserve(bytes as usize + 1);
    file.read_to_end(scratch).map_err(named)?;
    Ok(())
}
