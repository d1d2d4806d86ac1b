//! What is in a tar: its headers, read once, into a table of names and extents.

use std::cell::Cell;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use ::tar::{Archive, Entry as Header, EntryType};

use super::{BLOCK, end};
use crate::dataset::DatasetError;
use crate::dataset::name::plain_parts;
use crate::text::plain;

/// The headers of one member (long names, pax records) take a few hundred bytes: more than this is not read.
const MAX_HEADERS: u64 = 1 << 20;

/// No system has longer paths.
const LONGEST_NAME: usize = 4096;

/// How much of a refused name is shown.
const LONGEST_SHOWN: usize = 200;

/// Place and size of a file's contents in the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dataset) struct Extent {
    pub(in crate::dataset) at: u64,
    pub(in crate::dataset) size: u64,
}

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    File(Extent),
    Folder,
    /// Another name of the earlier member that the text names.
    HardLink(Text),
    /// The text is the path from the member's folder to the target.
    Symlink(Text),
    /// A device or a pipe: never a sample.
    Other,
}

/// A piece of the table's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Text {
    at: usize,
    length: u32,
}

/// A row of the table.
pub(super) struct Row {
    name: Text,
    pub(super) what: What,
    modified: u64,
}

/// All members of a tar, in order.
pub(in crate::dataset) struct Members {
    /// The tar's name, for messages.
    pub(super) shown: String,
    texts: String,
    pub(super) rows: Vec<Row>,
    /// The rows sorted by name, then by position; empty if there are no links to look up.
    pub(super) by_name: Vec<u32>,
}

/// One member.
#[derive(Clone, Copy)]
pub(in crate::dataset) struct Member<'a> {
    pub(super) members: &'a Members,
    pub(super) row: usize,
    /// Its name without `./`.
    pub(in crate::dataset) key: &'a str,
    pub(in crate::dataset) modified: u64,
    pub(in crate::dataset) is_folder: bool,
}

impl Members {
    /// Reads the headers of the tar `bytes`, which begins at `base` in the map. Refuses names that lead outside, members that
    /// extend beyond the end or cannot be read in place, and tars without a proper end.
    pub(in crate::dataset) fn read(shown: &str, bytes: &[u8], base: u64) -> Result<Self, DatasetError> {
        let damaged = |reason: String| DatasetError::DamagedTar {
            shard: shown.to_owned(),
            reason,
        };
        let mut members = Self {
            shown: shown.to_owned(),
            texts: String::new(),
            rows: Vec::new(),
            by_name: Vec::new(),
        };
        let left = Cell::new(0);
        let mut archive = Archive::new(Metered {
            cursor: Cursor::new(bytes),
            left: &left,
        });
        // Where the next header begins.
        let mut next = 0;
        let mut entries = archive
            .entries_with_seek()
            .map_err(|error| damaged(plain(&error.to_string()).into_owned()))?;
        loop {
            left.set(MAX_HEADERS);
            let Some(entry) = entries.next() else { break };
            let mut entry =
                // The reader's messages quote names unescaped.
                entry.map_err(|error| {
                    let error = error.to_string();
                    damaged(format!("{} (after {}); copy it again", plain(&error), members.last()))
                })?;
            let extent = Extent {
                at: entry.raw_file_position(),
                size: entry.size(),
            };
            next = members.add(&mut entry, extent, bytes.len() as u64, base)?;
        }
        end::check(bytes, next, &members.last()).map_err(damaged)?;
        members.sort();
        Ok(members)
    }

    /// Adds a member, and returns where the next header begins.
    fn add<R: Read>(
        &mut self,
        entry: &mut Header<'_, R>,
        extent: Extent,
        length: u64,
        base: u64,
    ) -> Result<u64, DatasetError> {
        // In old tars, which have no folders, a slash at the end means one.
        let (key, ends_with_slash) = {
            let path = entry.path_bytes();
            (member_name(&self.shown, &path)?, path.ends_with(b"/"))
        };
        let damaged = |reason: String| DatasetError::DamagedTar {
            shard: self.shown.clone(),
            reason,
        };
        let Extent { at, size } = extent;
        if at.checked_add(size).is_none_or(|end| end > length) {
            return Err(damaged(format!(
                "member {} needs {size} bytes from byte {at}, but the tar ends at {length}; copy it again",
                plain(&key)
            )));
        }
        let kind = entry.header().entry_type();
        if kind.is_gnu_sparse() || (kind.is_file() && is_pax_sparse(entry)) {
            return Err(damaged(format!(
                "member {} is sparse and cannot be read in place; recreate the tar without --sparse",
                plain(&key)
            )));
        }
        // Readers disagree on whether contents follow such a header, and so on where the next header is.
        if size > 0 && has_no_contents(kind) {
            return Err(damaged(format!(
                "member {} is a folder, a link or a device, but claims {size} bytes; recreate the tar",
                plain(&key)
            )));
        }
        let next = (at + size).next_multiple_of(BLOCK as u64);
        if kind == EntryType::XGlobalHeader {
            return Ok(next);
        }
        let target = || String::from_utf8_lossy(&entry.link_name_bytes().unwrap_or_default()).into_owned();
        let what = match kind {
            EntryType::Directory => What::Folder,
            _ if kind.is_file() && ends_with_slash => What::Folder,
            EntryType::Link => What::HardLink(self.text(&target())),
            EntryType::Symlink => What::Symlink(self.text(&target())),
            _ if kind.is_file() || kind.is_contiguous() => What::File(Extent { at: base + at, size }),
            _ => What::Other,
        };
        let row = Row {
            name: self.text(&key),
            what,
            modified: entry.header().mtime().unwrap_or(0),
        };
        self.rows.push(row);
        Ok(next)
    }

    /// Stores a text.
    fn text(&mut self, text: &str) -> Text {
        let at = self.texts.len();
        self.texts.push_str(text);
        let length = text.len() as u32;
        Text { at, length }
    }

    pub(super) fn get(&self, text: Text) -> &str {
        &self.texts[text.at..text.at + text.length as usize]
    }

    /// The name in a row.
    pub(super) fn name(&self, row: usize) -> &str {
        self.get(self.rows[row].name)
    }

    /// The latest member, for messages.
    fn last(&self) -> String {
        match self.rows.len() {
            0 => "the beginning".to_owned(),
            rows => plain(self.name(rows - 1)).into_owned(),
        }
    }

    /// Builds the index, if there are links.
    fn sort(&mut self) {
        let is_link = |row: &Row| matches!(row.what, What::HardLink(_) | What::Symlink(_));
        if self.rows.iter().any(is_link) {
            let mut by_name: Vec<u32> = (0..self.rows.len() as u32).collect();
            by_name.sort_by_key(|&row| self.name(row as usize));
            self.by_name = by_name;
        }
    }

    /// All members, in the order of the tar.
    pub(in crate::dataset) fn iter(&self) -> impl Iterator<Item = Member<'_>> {
        self.rows.iter().enumerate().map(|(row, of)| Member {
            members: self,
            row,
            key: self.get(of.name),
            modified: of.modified,
            is_folder: of.what == What::Folder,
        })
    }
}

impl Member<'_> {
    /// Where it is, for messages.
    pub(in crate::dataset) fn place(&self) -> String {
        format!("{}, member {}", self.members.shown, plain(self.key))
    }

    /// An error that names it: `member KEY is …`.
    pub(in crate::dataset) fn refuse(&self, reason: &str) -> DatasetError {
        DatasetError::Shard {
            shard: self.members.shown.clone(),
            reason: format!("member {} {reason}", plain(self.key)),
        }
    }

    /// The contents, if it is a file or a link to one. A link to anything else is refused.
    pub(in crate::dataset) fn file(&self) -> Result<Option<Extent>, DatasetError> {
        match self.members.rows[self.row].what {
            What::File(extent) => Ok(Some(extent)),
            What::HardLink(_) | What::Symlink(_) => self.members.follow(self.row).map(Some),
            What::Folder | What::Other => Ok(None),
        }
    }
}

/// Types of members that have no contents.
fn has_no_contents(kind: EntryType) -> bool {
    kind.is_dir()
        || kind.is_hard_link()
        || kind.is_symlink()
        || kind.is_fifo()
        || kind.is_block_special()
        || kind.is_character_special()
}

/// A member's name without `./`, or why it is refused.
fn member_name(shard: &str, bytes: &[u8]) -> Result<String, DatasetError> {
    let hostile = |reason: &'static str| DatasetError::HostileName {
        shard: shard.to_owned(),
        key: String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST_SHOWN)]).into_owned(),
        reason,
    };
    let Ok(key) = str::from_utf8(bytes) else {
        return Err(DatasetError::NotUtf8 {
            path: format!("{shard}, member {}", plain(&String::from_utf8_lossy(bytes))),
        });
    };
    if key.len() > LONGEST_NAME {
        return Err(hostile("is longer than 4096 bytes"));
    }
    if key.starts_with('/') || key.split('/').any(|part| part == "..") || key.contains('\0') {
        return Err(hostile("is absolute or leaves the archive"));
    }
    Ok(plain_parts(key).into_owned())
}

/// GNU tar's newer format of sparse files: an ordinary member whose contents begin with a map of the holes.
fn is_pax_sparse<R: Read>(entry: &mut Header<'_, R>) -> bool {
    let Ok(Some(extensions)) = entry.pax_extensions() else {
        return false;
    };
    extensions
        .filter_map(Result::ok)
        .any(|extension| extension.key_bytes().starts_with(b"GNU.sparse."))
}

/// A reader with a limit on the bytes read. Only headers are read; contents are skipped.
struct Metered<'a> {
    cursor: Cursor<&'a [u8]>,
    left: &'a Cell<u64>,
}

impl Read for Metered<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.cursor.read(into)?;
        let left = self.left.get().checked_sub(read as u64);
        self.left
            .set(left.ok_or_else(|| io::Error::other(format!("the headers of a member exceed {MAX_HEADERS} bytes")))?);
        Ok(read)
    }
}

impl Seek for Metered<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.cursor.seek(to)
    }
}
