//! The stages of the data flow, and the messages between them:
//!
//! ```text
//! source ──Ticket──▶ decode ──Pixels──▶ augment ──Receipt──▶ staging ──Batch──▶ compute
//! ```
//!
//! A stage is a function from its inlets to its outlets. Each of its workers runs it on its own thread.

pub mod frame;

pub mod messages;

pub mod partition;

pub mod rule;

pub mod sets;

pub mod state;

/// Which samples, in which order, into which rows. Upstream: free slots from the devices; downstream: decode.
pub mod source;

/// Encoded bytes to RGB of just the crop. Upstream: source; downstream: augment.
pub mod decode;

/// Crop, reflection, colour and mean, into the row. Upstream: decode; downstream: staging.
pub mod augment;

/// Rows to whole batches, in order. Upstream: augment; downstream: compute.
pub mod staging;

/// Training steps and evaluation. Upstream: staging.
pub mod compute;

/// Takes batches and does nothing with them. Upstream: staging.
pub mod discard;

/// Checkpoints to disk, one at a time. Upstream: compute.
pub mod save;

/// Means and principal components of a training set. Upstream: decode.
pub mod measure;

/// The source of a pack: samples in the order of their positions. Upstream: records from write; downstream: decode.
pub mod pack_source;

/// Pixels to the bytes of a shard's member. Upstream: decode; downstream: write.
pub mod encode;

/// Records into shards, in order. Upstream: encode.
pub mod write;

pub use partition::Partition;
pub use sets::Sets;

pub use messages::{Batch, Header, Opened, Phase, Pixels, Position, Receipt, RowFact, Ticket};
