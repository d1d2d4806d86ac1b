//! From a plan to hops and workers. Spawns nothing; [`crate::control`] does. The flow of a run stands on one screen in
//! `training.rs`, that of the pass for statistics in `measuring.rs`, that of a pack in `packing.rs`.

use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::flow::{Fault, HopGauge, Inlet, Outlet, channel};
use crate::plan::Plan;

mod measuring;
mod packing;
mod training;

pub use measuring::measuring;
pub use packing::{Packing, packing};
pub use training::{Beginning, training};

/// What a worker runs.
pub type Body = Box<dyn FnOnce() -> Result<(), Fault> + Send>;

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
    /// Each hop, under the stage that takes from it, in the data's order.
    pub hops: Vec<(&'static str, Arc<HopGauge>)>,
}

/// The buffers that decoded pixels travel in: all of them in the pool, which has room for each.
fn pixel_pool(plan: &Plan) -> (Outlet<Vec<u8>>, Inlet<Vec<u8>>) {
    let count = plan.buffers().pixel_buffers;
    let (spare, pool) = channel("buffer", NonZeroUsize::MIN.saturating_add(count - 1));
    fill(&spare, count, Vec::new);
    (spare, pool)
}

/// Puts `count` things into a hop that has room for them and whose inlet is at hand.
fn fill<T>(outlet: &Outlet<T>, count: usize, make: impl Fn() -> T) {
    for _ in 0..count {
        let sent = outlet.send(make());
        debug_assert!(sent.is_ok(), "the inlet is alive");
    }
}

struct Flow(Topology);

impl Default for Flow {
    fn default() -> Self {
        Self(Topology {
            stages: Vec::new(),
            hops: Vec::new(),
        })
    }
}

impl Flow {
    fn hop(&mut self, taker: &'static str, gauge: Arc<HopGauge>) {
        self.0.hops.push((taker, gauge));
    }

    fn one(&mut self, name: &'static str, body: impl FnOnce() -> Result<(), Fault> + Send + 'static) {
        self.0.stages.push(Stage {
            name,
            bodies: vec![Box::new(body)],
        });
    }

    fn many<F>(&mut self, name: &'static str, workers: NonZeroUsize, body: impl Fn() -> F)
    where
        F: FnOnce() -> Result<(), Fault> + Send + 'static,
    {
        let bodies = (0..workers.get()).map(|_| Box::new(body()) as Body).collect();
        self.0.stages.push(Stage { name, bodies });
    }
}
