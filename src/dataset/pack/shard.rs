//! A shard being written: the tar, and the lines of the two files beside it.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use ::tar::{Builder, EntryType, Header};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::durable::{sync_folder, write_synced};
use super::lines::{Place, Span, Sum};
use super::{PackError, Shard};
use crate::checksum::digits;
use crate::text;

/// Members begin at multiples of this.
const BLOCK: u64 = 512;

/// The size of a write: shards are written in large pieces.
const PIECE: usize = 1 << 20;

/// A file that counts and hashes what is written to it.
struct Counted {
    file: BufWriter<File>,
    hash: Xxh3,
    bytes: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The fields of an image's line.
pub(super) struct Image<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) extension: &'static str,
    pub(super) sum: Sum,
}

/// Writes one shard into a folder.
pub(super) struct ShardWriter {
    folder: PathBuf,
    stem: String,
    tar: Builder<Counted>,
    samples: u32,
    index: String,
    sums: String,
}

impl ShardWriter {
    /// Begins `folder/stem.tar`.
    pub(super) fn create(folder: &Path, stem: String) -> Result<Self, PackError> {
        let path = folder.join(format!("{stem}.tar"));
        let file = File::create(&path).map_err(PackError::write(&path))?;
        let counted = Counted {
            file: BufWriter::with_capacity(PIECE, file),
            hash: Xxh3::new(),
            bytes: 0,
        };
        Ok(Self {
            folder: folder.to_owned(),
            stem,
            tar: Builder::new(counted),
            samples: 0,
            index: String::new(),
            sums: String::new(),
        })
    }

    fn path(&self, extension: &str) -> PathBuf {
        self.folder.join(format!("{}.{extension}", self.stem))
    }

    /// Appends a sample: the image and its class.
    pub(super) fn append(&mut self, image: &Image<'_>) -> Result<(), PackError> {
        let key = &image.sum.key;
        let label = image.sum.label.to_string();
        let written = self
            .member(&format!("{key}.{}", image.extension), image.bytes)
            .and_then(|image| Ok((image, self.member(&format!("{key}.cls"), label.as_bytes())?)));
        let (at, class) = written.map_err(PackError::write(&self.path("tar")))?;
        let place = Place {
            extension: image.extension.to_owned(),
            image: at,
            class,
        };
        self.index.push_str(&place.line());
        self.sums.push_str(&image.sum.line());
        self.samples += 1;
        Ok(())
    }

    /// Appends a member. Its header does not depend on when and by whom it was written.
    fn member(&mut self, name: &str, bytes: &[u8]) -> io::Result<Span> {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        self.tar.append_data(&mut header, name, bytes)?;
        let bytes = bytes.len() as u64;
        Ok(Span {
            at: self.tar.get_ref().bytes - bytes.next_multiple_of(BLOCK),
            bytes,
        })
    }

    /// Finishes the shard and makes its three files durable.
    pub(super) fn finish(self) -> Result<Shard, PackError> {
        let path = self.path("tar");
        let (idx, sums) = (self.path("idx"), self.path("sums"));
        let index = format!("v1.1 {}\n{}", self.samples, self.index);
        write_synced(&idx, index.as_bytes())?;
        write_synced(&sums, self.sums.as_bytes())?;
        let ended = self.tar.into_inner().and_then(|mut counted| {
            counted.flush()?;
            counted.file.get_ref().sync_all()?;
            Ok((counted.bytes, counted.hash.digest()))
        });
        let (bytes, hash) = ended.map_err(PackError::write(&path))?;
        sync_folder(&self.folder)?;
        Ok(Shard {
            file: format!("{}.tar", self.stem),
            samples: self.samples,
            bytes,
            xxh3: digits(hash),
            idx_xxh3: digits(xxh3_64(index.as_bytes())),
            sums_xxh3: digits(xxh3_64(self.sums.as_bytes())),
        })
    }
}

/// Whether the three files of a finished shard are in `folder` and unchanged, bit for bit.
pub(super) fn is_whole(folder: &Path, shard: &Shard) -> Result<bool, PackError> {
    let tar = folder.join(&shard.file);
    let files = [
        (tar.clone(), &shard.xxh3),
        (tar.with_extension("idx"), &shard.idx_xxh3),
        (tar.with_extension("sums"), &shard.sums_xxh3),
    ];
    for (path, sum) in files {
        match hash_file(&path) {
            Ok(hash) if digits(hash) == *sum => {}
            Ok(_) => {
                let shown = text::path(&path);
                tracing::warn!(
                    "{shown}: has changed since it was written; writing this shard and those after it again"
                );
                return Ok(false);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(PackError::read(&path)(error)),
        }
    }
    Ok(true)
}

/// Hashes a file of any size.
fn hash_file(path: &Path) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let (mut hash, mut piece) = (Xxh3::new(), vec![0; PIECE]);
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(hash.digest()),
            Ok(read) => hash.update(&piece[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
