//! Tars, read in place: the headers once, then each member as a slice of the mapped file.

mod end;
mod links;
mod members;

use std::path::Path;

pub(super) use members::{Extent, Member, Members};

use super::DatasetError;
use super::map::Mapping;
use crate::text;

/// Tars consist of blocks of this many bytes.
pub(super) const BLOCK: usize = 512;

/// Maps a tar and reads its headers.
pub(super) fn open(path: &Path) -> Result<(Mapping, Members), DatasetError> {
    let shown = text::path(path);
    let map = Mapping::open(path).map_err(DatasetError::unreadable(path))?;
    let members = Members::read(&shown, map.bytes(), 0)?;
    is_whole(&shown, &map)?;
    Ok((map, members))
}

/// Checks that a map was not truncated while it was read.
pub(super) fn is_whole(shown: &str, map: &Mapping) -> Result<(), DatasetError> {
    map.check(map.bytes().len() as u64)
        .map_err(|length| DatasetError::DamagedTar {
            shard: shown.to_owned(),
            reason: format!("it was truncated to {length} bytes while being read; copy it again"),
        })
}
