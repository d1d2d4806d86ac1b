//! From a plan to channels and workers. Spawns nothing; [`crate::control`] does. The flow of a run stands on one screen in
//! `training.rs` (its first half, the input, in `input.rs`), that of the pass for statistics in `measuring.rs`, that of a pack in
//! `packing.rs`. decode, which all of them have, is in `decoding.rs`.

use std::sync::Arc;
use std::time::Duration;

use crate::flow::{ChannelGauge, Meters, Outlet};

mod decoding;
mod feeding;
mod flow;
mod input;
mod measuring;
mod packing;
mod training;

pub use feeding::feeding;
pub use flow::{Body, Flow, Waits};
pub use measuring::measuring;
pub use packing::{Packing, packing};
pub use training::{Beginning, training};

/// A stage: its name, which is that of its threads, and what each of its workers runs.
pub struct Stage {
    /// `decode` makes threads `decode-0`, `decode-1`, …
    pub name: &'static str,
    /// One for each worker.
    pub bodies: Vec<Body>,
}

/// A flow that is ready to start.
pub struct Topology {
    /// In the data's order.
    pub stages: Vec<Stage>,
    /// Each channel, under the stage that takes from it, in the data's order.
    pub channels: Vec<(&'static str, Arc<ChannelGauge>)>,
    /// Where the time of each stage goes.
    pub meters: Arc<Meters>,
    /// How often the numbers of workers are looked at, where they are not fixed.
    pub tune_every: Duration,
}

/// Two of these are what is looked at: long enough for some batches, short enough to be right within a minute.
const TUNE_EVERY: Duration = Duration::from_secs(2);

/// Puts something into a channel that has room for it and whose inlet is at hand.
fn fill<T>(outlet: &Outlet<T>, thing: T) {
    let sent = outlet.send(thing);
    debug_assert!(sent.is_ok(), "the inlet is alive");
}
