//! A configuration that fits a data set, with the reason beside each key: what `pipeline init` writes.
//!
//! ```text
//! location ──find──▶ training and validation set ──look──▶ sizes, contrast ──choose──▶ numbers ──write──▶ TOML
//! ```
//!
//! It depends on the data alone, not on the machine: the same folder gives the same text everywhere.

mod choose;
mod find;
mod look;
mod write;

pub use choose::Choice;
pub use find::{Found, Held};
pub use look::Seen;

use crate::dataset::DatasetError;
use crate::text::plain;

/// Why no configuration can be proposed.
#[derive(Debug, thiserror::Error)]
pub enum ProposalError {
    /// There is nothing to train on.
    #[error(
        "{source}\n{location} contains none of these: folders of images, one per class ({location}/CLASS/*.jpg); two or more splits \
         of such folders (train, val, test); tars of either; WebDataset shards, packs, lists (.csv, .tsv, .txt), IDX or CIFAR-10 \
         files",
        location = plain(.location)
    )]
    Nothing {
        /// The location searched.
        location: String,
        /// Why it is not a data set.
        source: DatasetError,
    },
    /// Images, but nothing to train on.
    #[error(transparent)]
    Data(DatasetError),
    /// Images that cannot be decoded.
    #[error("{sample}: {reason}; none of the {looked_at} images examined can be decoded")]
    Undecodable {
        /// One of them.
        sample: String,
        /// Why it is refused.
        reason: String,
        /// How many were tried.
        looked_at: usize,
    },
}

impl ProposalError {
    /// The error for a `location` that is not a data set.
    fn of(location: &str, source: DatasetError) -> Self {
        match source {
            DatasetError::NoClasses { .. } | DatasetError::NoImages { .. } | DatasetError::UnknownKind { .. } => {
                Self::Nothing {
                    location: location.to_owned(),
                    source,
                }
            }
            source => Self::Data(source),
        }
    }
}

/// The data to train on, and how to train.
pub struct Proposal {
    /// The data.
    pub found: Found,
    /// What the images look like.
    pub seen: Seen,
    /// The network and numbers that fit.
    pub choice: Choice,
}

impl Proposal {
    /// Looks at the data at `location`, and chooses.
    pub fn new(location: &str) -> Result<Self, ProposalError> {
        let found = find::find(location)?;
        let seen = look::look(&found.train)?;
        let choice = choose::choose(found.train.len(), &seen);
        Ok(Self { found, seen, choice })
    }

    /// The configuration of a run that writes to the folder `out`.
    pub fn toml(&self, out: &str) -> String {
        write::toml(self, out)
    }
}
