//! Why a pack cannot be written.

use std::io;
use std::path::Path;

use crate::dataset::DatasetError;
use crate::text::{self, plain};

/// Why a pack cannot be begun, resumed or finished.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The target holds something else.
    #[error("{out}: the folder is not empty and contains no pack; choose another folder or empty this one")]
    NotEmpty {
        /// The target.
        out: String,
    },
    /// The target would become part of the source.
    #[error(
        "{out}: the folder is inside the source, {}, so its files would be taken for samples; choose a folder outside of it",
        plain(source_location)
    )]
    InsideSource {
        /// The target.
        out: String,
        /// The source.
        source_location: String,
    },
    /// The target holds a complete pack.
    #[error("{out}: already contains a finished pack; choose another folder or remove it")]
    Finished {
        /// The target.
        out: String,
    },
    /// The target holds an unfinished pack.
    #[error("{out}: already contains an unfinished pack; finish it with the same command and --resume, or remove it")]
    Unfinished {
        /// The target.
        out: String,
    },
    /// The pack was begun with other settings.
    #[error(
        "{out}: the pack was begun with other settings: {}; resume with those, or choose another folder",
        plain(&.differences.join("; "))
    )]
    SettingsDiffer {
        /// The target.
        out: String,
        /// `quality was 90, is now 80`.
        differences: Vec<String>,
    },
    /// Another process is writing there.
    #[error("{out}: another process is using this folder; wait for it, or choose another folder")]
    Locked {
        /// The target.
        out: String,
    },
    /// Raw pixels have no file to pass through.
    #[error(
        "{}: its samples are raw pixels, not image files, and cannot be passed through; use --mode raw or --mode jpeg",
        plain(source_location)
    )]
    NothingToPass {
        /// The source.
        source_location: String,
    },
    /// Writing failed.
    #[error("{path}: cannot be written: {source}{}", hint(.source))]
    Write {
        /// The file or folder.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// Data written earlier cannot be read.
    #[error("{path}: cannot be read: {source}")]
    Read {
        /// The file or folder.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// Data written earlier have changed.
    #[error("{path}: {reason}; remove the unfinished pack and start again")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The existing pack cannot be read.
    #[error("{0}")]
    There(#[from] DatasetError),
    /// A sample could not be compressed.
    #[error("{sample}: cannot be written as JPEG: {reason}")]
    Encode {
        /// `CLASS/name`.
        sample: String,
        /// libjpeg-turbo's reason.
        reason: String,
    },
    /// A bad image, and none is allowed.
    #[error("{sample}: {reason} ({place}); repair or remove it, or continue without it: --resume --on-bad-image skip")]
    BadImage {
        /// `CLASS/name`.
        sample: String,
        /// Why it is refused.
        reason: String,
        /// Its file, or shard and key.
        place: String,
    },
    /// More bad images than allowed.
    #[error(
        "more than {max} bad images, the limit of --bad-images-max; repair or remove them, or raise the limit; the latest is {sample}: {reason}"
    )]
    TooManyBad {
        /// The budget.
        max: u64,
        /// `CLASS/name`.
        sample: String,
        /// Why it is refused.
        reason: String,
    },
    /// None of the images can be decoded.
    #[error("{}: no image can be decoded: all {skipped} were refused", plain(source_location))]
    NothingLeft {
        /// The source.
        source_location: String,
        /// How many.
        skipped: u64,
    },
}

impl PackError {
    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = text::path(path);
        move |source| Self::Write { path, source }
    }

    pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = text::path(path);
        move |source| Self::Read { path, source }
    }

    pub(super) fn damaged(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::Damaged {
            path: text::path(path),
            reason: reason.to_string(),
        }
    }

    /// Whether the command line is at fault rather than its surroundings.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NotEmpty { .. }
                | Self::InsideSource { .. }
                | Self::Finished { .. }
                | Self::Unfinished { .. }
                | Self::SettingsDiffer { .. }
                | Self::NothingToPass { .. }
        )
    }
}

/// What to do about the system's reason.
fn hint(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space and resume with the same command and --resume"
        }
        _ => "",
    }
}
