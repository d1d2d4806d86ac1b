//! The hashes in a manifest, and the files that must have them.

use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use crate::checksum::digits;
use crate::dataset::{DatasetError, whole};

/// The limit on a file beside the shards. A file of lines has some 200 bytes per sample.
const MAX_BYTES: u64 = 1 << 30;

/// Reads a file beside the shards and checks its hash.
pub(super) fn read(path: &Path, sum: &str) -> Result<Vec<u8>, DatasetError> {
    let bytes = whole::read(path, MAX_BYTES).map_err(DatasetError::unreadable(path))?;
    if digits(xxh3_64(&bytes)) == sum {
        Ok(bytes)
    } else {
        Err(DatasetError::damaged_pack(path, "it has changed since it was written"))
    }
}
