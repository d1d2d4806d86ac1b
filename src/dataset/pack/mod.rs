//! Packs: WebDataset shards with checksums, statistics and a manifest beside them. `docs/pack-format.md` is the format.
//!
//! [`PackWriter`] writes a pack from records that come in the order of their positions. [`super::Dataset::open`] reads it.
//! [`verify`] checks that nothing has changed since it was written.

mod durable;
mod error;
mod keys;
mod lines;
mod manifest;
mod open;
mod record;
mod shard;
mod tally;
mod verify;
mod writer;

pub use error::PackError;
pub use keys::Keys;
pub use manifest::{Class, Frames, MANIFEST, Manifest, Mode, Origin, STATISTICS, Settings, Shard, Skipped};
pub use open::Pack;
pub use record::Record;
pub use tally::LARGEST_MEAN;
pub use verify::{Verified, verify};
pub use writer::{Begun, PackWriter};

pub(super) use open::list;
pub(super) use writer::PARTIAL;
