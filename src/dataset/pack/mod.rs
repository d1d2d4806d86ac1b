//! Packs: WebDataset shards with checksums, statistics and a manifest beside them. `docs/pack-format.md` is the format.
//!
//! [`PackWriter`] writes a pack from records that come in the order of their positions. [`super::Dataset::open`] reads it.
//! [`verify`] checks that nothing has changed since it was written.

mod description;
mod durable;
mod error;
mod hash;
mod keys;
mod lines;
mod manifest;
mod open;
mod record;
mod shard;
mod tally;
mod verify;
mod writer;

pub use description::Pack;
pub use error::PackError;
pub use keys::Keys;
pub use manifest::{
    Class, Frames, LARGEST_MEAN, MANIFEST, Manifest, Mode, Origin, STATISTICS, Settings, Shard, Skipped,
};
pub use record::Record;
pub use verify::{Verified, verify};
pub use writer::{Begun, PackWriter};

pub(super) use open::list;
pub(super) use writer::PARTIAL;
