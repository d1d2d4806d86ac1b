//! What can be wrong with a file of events.

use std::io;
use std::path::{Path, PathBuf};

use crate::text;

/// `metrics.jsonl` cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", text::path(.path))]
pub struct MetricsError {
    /// The file.
    pub path: PathBuf,
    /// The system's reason.
    pub source: io::Error,
}

impl MetricsError {
    pub(super) fn of(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self { path, source }
    }
}
