//! Turns a plan into channels and workers. Spawns nothing; [`crate::control`] does. The flow of a run is in `training.rs`, with
//! its first half, the input, in `input.rs`. The flow for statistics is in `measuring.rs`, that of a pack in `packing.rs`. All
//! of them have the decode stage of `decoding.rs`.

use std::sync::Arc;
use std::time::Duration;

use crate::flow::{ChannelGauge, Meters, Outlet};

mod decoding;
mod devices;
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

/// A stage: its name, which its threads carry, and the functions of its workers.
pub struct Stage {
    /// `decode` makes threads `decode-0`, `decode-1`, …
    pub name: &'static str,
    /// One per worker.
    pub bodies: Vec<Body>,
}

/// A flow that is ready to start.
pub struct Topology {
    /// In the data's order.
    pub stages: Vec<Stage>,
    /// Each channel with the stage that receives from it, in the data's order.
    pub channels: Vec<(&'static str, Arc<ChannelGauge>)>,
    /// How each stage spends its time.
    pub meters: Arc<Meters>,
    /// How often the numbers of workers are reconsidered, if they are not fixed.
    pub tune_every: Duration,
}

/// Decisions look at two of these: long enough for some batches, short enough to settle within a minute.
const TUNE_EVERY: Duration = Duration::from_secs(2);

/// Puts something into a channel that has room for it and whose inlet exists.
fn fill<T>(outlet: &Outlet<T>, thing: T) {
    let sent = outlet.send(thing);
    debug_assert!(sent.is_ok(), "the inlet is alive");
}
