//! Samples that cannot be decoded.

use std::path::Path;

use super::DecodeError;
use crate::dataset::{Below, Dataset, Encoded, NotWritten};
use crate::text;

/// A sample that cannot be decoded, under the policy `fail`.
#[derive(Debug, thiserror::Error)]
#[error("{id}: {reason} ({place}); repair or remove it, or set run.on_bad_image = \"skip\" to continue without it")]
pub struct BadImage {
    id: String,
    reason: String,
    place: String,
}

impl BadImage {
    pub(super) fn new(data: &Dataset, sample: usize, error: &DecodeError) -> Self {
        Self {
            id: data.id(sample).to_string(),
            reason: error.to_string(),
            place: data.where_is(sample),
        }
    }
}

/// A bad image could not be copied to quarantine.
#[derive(Debug, thiserror::Error)]
#[error("{path}: the bad image cannot be copied here: {source}")]
pub(super) struct QuarantineError {
    path: String,
    source: std::io::Error,
}

/// Copies a bad sample's bytes to `folder/CLASS/name`; each set has its own `folder`.
pub(super) fn quarantine(
    folder: &Path,
    data: &Dataset,
    sample: usize,
    encoded: Encoded<'_>,
) -> Result<(), QuarantineError> {
    let Encoded::File(bytes) = encoded else { return Ok(()) };
    let written = Below::new(folder.to_owned()).write(data.id(sample), bytes);
    written.map_err(|NotWritten { path, source }| QuarantineError {
        path: text::path(&path),
        source,
    })
}
