//! The control plane, and the only folder that knows actix: starts the workers of a topology, hears how each ends, finds
//! the cause, listens to signals, and gives stages more workers or fewer. Messages are few: their greatest number in a run stands beside each. No actor
//! ever touches a pixel, no worker owns a mailbox.

use std::time::Duration;

use actix::{Actor, System};
use tokio::sync::oneshot;

use crate::flow::{Exit, Stop};
use crate::topology::Topology;

mod every;
mod hold;
mod messages;
mod pipeline;
mod signals;
mod stage;
mod tuner;
pub mod tuning;

pub use pipeline::Ending;

/// Told of a stage and the fault found there.
pub type OnFault = Box<dyn Fn(&str, &Exit)>;

/// How a run is watched over.
pub struct Watch {
    /// A run in which nothing moves for so long has a stuck stage.
    pub stall_after: Duration,
    /// Hears of a fault as soon as it is known, long before the last worker has ended.
    pub on_fault: OnFault,
    /// Hears of the first signal.
    pub on_stop: Box<dyn Fn()>,
}

impl Watch {
    /// Says nothing while the flow runs: a fault comes back as the ending.
    pub fn silent(stall_after: Duration) -> Self {
        Self {
            stall_after,
            on_fault: Box::new(|_, _| {}),
            on_stop: Box::new(|| {}),
        }
    }
}

/// Runs a topology on this thread until its last worker has ended.
pub fn supervise(topology: Topology, stop: &Stop, watch: Watch) -> Ending {
    let system = System::new();
    let (outcome, ended) = oneshot::channel();
    let stop = stop.clone();
    let ending = system.block_on(async move {
        let Watch {
            stall_after,
            on_fault,
            on_stop,
        } = watch;
        signals::listen(stop.clone(), on_stop);
        if let Some(tuner) = tuner::TunerActor::new(&topology.meters, topology.tune_every) {
            tuner.start();
        }
        pipeline::PipelineActor::new(topology, stop, stall_after, on_fault, outcome).start();
        ended.await
    });
    // The actor holds the sender: it is dropped without a word only if the control plane itself has failed.
    ending.unwrap_or(Ending::ControlLost)
}
